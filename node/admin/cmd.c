#include "admin/cmd.h"

#include "crypto/selftest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum { MS_PER_DAY = 24 * 60 * 60 * 1000 };

int hs_cmd_fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("hansed: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

int hs_cmd_usage(const char *command)
{
    fprintf(stderr, "hansed: see hansed %s%s--help\n", command, command[0] != '\0' ? " " : "");
    return HS_EXIT_USAGE;
}

int hs_cmd_site_failed(enum hs_err err, const char *why)
{
    return hs_cmd_fail(err == HS_ERR_CONFIG ? HS_EXIT_CONFIG : HS_EXIT_FAILURE, "%s", why);
}

int hs_cmd_open_root(const char *config, const char *root_key, struct hs_site *site, struct hs_signer *root)
{
    char why[HS_CONFIG_WHY] = "";
    enum hs_err err = hs_site_open(config, site, why);
    if (err == HS_OK)
        err = hs_site_root(site, root_key, root, why);
    return err == HS_OK ? HS_EXIT_OK : hs_cmd_site_failed(err, why);
}

bool hs_cmd_prepare(void)
{
    const struct rlimit no_core = {0, 0};
    umask(077);
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    enum hs_err err = hs_crypto_init();
    if (err != HS_OK)
        hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
    return err == HS_OK;
}

struct hs_time hs_cmd_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

bool hs_cmd_number(const char *option, const char *text, unsigned long min, unsigned long max,
                   unsigned long *out)
{
    size_t len = strlen(text);
    bool fits = len > 0 && len <= 10 && strspn(text, "0123456789") == len;
    *out = fits ? strtoul(text, NULL, 10) : 0;
    if (fits && *out >= min && *out <= max)
        return true;
    hs_cmd_fail(HS_EXIT_USAGE, "%s takes a number from %lu to %lu", option, min, max);
    return false;
}

bool hs_cmd_add_role(struct hs_standing *standing, const char *name)
{
    Hanse__Role role = hs_role_of(hs_bytes_str(name));
    if (role == HANSE__ROLE__ROLE_NONE) {
        hs_cmd_fail(HS_EXIT_USAGE, "there is no role \"%s\"; roles are owner, merchant, staff, till, steward",
                    name);
        return false;
    }
    for (size_t i = 0; i < standing->role_count; i++)
        if (standing->roles[i] == role)
            return true;
    standing->roles[standing->role_count++] = role; /* distinct, so at most as many as there are */
    return true;
}

bool hs_cmd_check_handle(const char *name)
{
    bool valid = name == NULL || hs_handle_name_is_valid(hs_bytes_str(name));
    if (!valid)
        hs_cmd_fail(HS_EXIT_USAGE, "--handle takes 1 to 64 of a-z, 0-9, '.', '_', '-'");
    return valid;
}

struct hs_time hs_cmd_days(struct hs_time now, unsigned long days)
{
    return days > 0 ? (struct hs_time){now.ms + (int64_t)days * MS_PER_DAY} : (struct hs_time){0};
}

#include "admin/ask.h"

#include "admin/control.h"
#include "admin/json.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60 * 1000 }; /* longer than the node takes to say that it takes too long */

static enum hs_err dial(const char *dir, int *out)
{
    struct sockaddr_un address;
    HS_TRY(hs_control_address(dir, &address));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        *out = fd;
        return HS_OK;
    }
    enum hs_err err = errno == EACCES || errno == EPERM ? HS_ERR_DENIED : HS_ERR_UNREACHABLE;
    close(fd);
    return err;
}

static enum hs_err say(int fd, const json_t *request)
{
    char *line = json_dumps(request, JSON_COMPACT);
    if (line == NULL || hs_json_is_scarce()) { /* the node would be told another thing */
        free(line);
        return HS_ERR_NOMEM;
    }
    size_t len = strlen(line);
    line[len] = '\n'; /* in the place of its NUL */
    ssize_t sent = send(fd, line, len + 1, MSG_NOSIGNAL);
    free(line);
    return sent == (ssize_t)len + 1 ? HS_OK : HS_ERR_CLOSED;
}

static enum hs_err hear(int fd, struct hs_writer *out)
{
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        uint8_t part[16384];
        int polled = poll(&ready, 1, PATIENCE_MS);
        if (polled < 0 && errno == EINTR)
            continue;
        HS_REQUIRE(polled == 1, HS_ERR_TIMEOUT);
        ssize_t got = read(fd, part, sizeof part);
        if (got == 0)
            return out->len > 0 ? HS_OK : HS_ERR_CLOSED;
        HS_REQUIRE(got > 0, HS_ERR_CLOSED);
        hs_write_bytes(out, hs_bytes(part, (size_t)got));
        HS_TRY(out->err);
    }
}

enum hs_err hs_ask(const char *dir, const json_t *request, json_t **answer)
{
    struct hs_writer HS_WRITER text = hs_writer(HS_CONTROL_ANSWER_MAX);
    json_error_t ignored;
    int fd = -1;
    HS_TRY(dial(dir, &fd));
    enum hs_err err = say(fd, request);
    if (err == HS_OK)
        err = hear(fd, &text);
    close(fd);
    HS_TRY(err);
    *answer = json_loadb((const char *)text.data, text.len, 0, &ignored);
    if (!hs_json_is_scarce() && json_is_object(*answer))
        return HS_OK;
    json_decref(*answer);
    *answer = NULL;
    return hs_json_is_scarce() ? HS_ERR_NOMEM : HS_ERR_MALFORMED;
}

int64_t hs_ask_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

double hs_ask_real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

const char *hs_ask_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

bool hs_ask_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* Runs a fuzz target without libFuzzer: every file of a folder, then seeded mutations of each for a bounded
 * time.
 *
 *   replay_TARGET FOLDER [MILLISECONDS]   the folder, then mutations for so long (800)
 *   replay_TARGET FILE                    that input once
 *
 * An input that ends the program is left behind as TARGET.crash in the working folder. */
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 512, ROUNDS_MAX = 4096 };

struct file {
    char name[256];
    uint8_t *data;
    size_t len;
};

static struct file files[FILES_MAX];
static size_t file_count;
static uint8_t buffer[FUZZ_INPUT_MAX];
static size_t buffer_len;
static char crash_path[512];

/* A sanitizer calls this before it ends the program. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void save_input(void)
{
    FILE *out = fopen(crash_path, "wb");
    if (out == NULL)
        return;
    (void)fwrite(buffer, 1, buffer_len, out);
    (void)fclose(out);
    fprintf(stderr, "the input is in %s\n", crash_path);
}

static void on_signal(int number)
{
    save_input();
    signal(number, SIG_DFL);
    raise(number);
}

static void run(const uint8_t *data, size_t len)
{
    memmove(buffer, data, len);
    buffer_len = len;
    /* A copy of its own size, so that a sanitizer sees a read past the end. */
    uint8_t *copy = malloc(len > 0 ? len : 1);
    HS_ASSERT(copy != NULL);
    memcpy(copy, data, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void load(const char *path, const char *name)
{
    FILE *in = fopen(path, "rb");
    HS_ASSERT(in != NULL && file_count < FILES_MAX);
    struct file *file = &files[file_count++];
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    file->data = malloc(FUZZ_INPUT_MAX);
    HS_ASSERT(file->data != NULL);
    file->len = fread(file->data, 1, FUZZ_INPUT_MAX, in);
    (void)fclose(in);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static bool load_folder(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char full[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(full, sizeof full, "%s/%s", path, entry->d_name);
        load(full, entry->d_name);
    }
    (void)closedir(dir);
    qsort(files, file_count, sizeof *files, by_name);
    return true;
}

static long now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Round after round over all files: what runs first doesn't depend on how fast the machine is. */
static size_t run_mutations(long ms)
{
    struct rng rng = rng_new();
    static uint8_t data[FUZZ_INPUT_MAX];
    const long end = now_ms() + ms;
    size_t runs = 0;
    for (size_t round = 0; round < ROUNDS_MAX; round++) {
        for (size_t i = 0; i < file_count; i++, runs++) {
            if (now_ms() >= end)
                return runs;
            struct mutant m = {.data = data, .len = files[i].len, .size = sizeof data};
            memcpy(data, files[i].data, m.len);
            const struct file *other = &files[rng_below(&rng, file_count)];
            mutate(&m, hs_bytes(other->data, other->len), &rng);
            run(data, m.len);
        }
    }
    return runs;
}

static void arm(const char *program)
{
    const char *slash = strrchr(program, '/');
    (void)snprintf(crash_path, sizeof crash_path, "%s.crash", slash != NULL ? slash + 1 : program);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(save_input);
        return;
    }
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGFPE, on_signal);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [MILLISECONDS] | FILE\n", argv[0]);
        return 2;
    }
    arm(argv[0]);
    signal(SIGABRT, on_signal);
    bool is_folder = load_folder(argv[1]);
    if (!is_folder)
        load(argv[1], argv[1]);
    if (file_count == 0) {
        fprintf(stderr, "%s holds no inputs\n", argv[1]);
        return 1;
    }
    run((const uint8_t *)"", 0);
    for (size_t i = 0; i < file_count; i++)
        run(files[i].data, files[i].len);
    const size_t accepted = fuzz_accepted;
    size_t mutations = is_folder ? run_mutations(argc > 2 ? strtol(argv[2], NULL, 10) : 800) : 0;
    printf("%zu inputs, %zu accepted; %zu mutations, %zu accepted\n", file_count, accepted, mutations,
           fuzz_accepted - accepted);
    for (size_t i = 0; i < file_count; i++)
        free(files[i].data);
    if (accepted == 0 && is_folder)
        fprintf(stderr, "no seed gets through: the corpus or the target is wrong\n");
    return accepted == 0 && is_folder ? 1 : 0;
}

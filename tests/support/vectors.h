/* Published test vectors: JSON files in the folder HANSE_VECTORS, or beside the source tree. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "support/hex.h"

/* What ctest takes for "skipped". */
enum { TEST_SKIPPED = 77 };

struct vectors_path {
    char text[512];
};

/* name: relative to the folder, as "noise/snow.json". */
static inline struct vectors_path vectors_path(const char *name)
{
    struct vectors_path path;
    const char *folder = getenv("HANSE_VECTORS");
    int len = folder != NULL ? snprintf(path.text, sizeof path.text, "%s/%s", folder, name)
                             : snprintf(path.text, sizeof path.text, "%s/%s", HANSE_VECTORS_DEFAULT, name);
    if (len < 0 || (size_t)len >= sizeof path.text)
        abort();
    return path;
}

/* False, and a line that says which file is missing, where the test must be skipped. */
static inline bool vectors_are_there(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vectors_path path = vectors_path(names[i]);
        if (access(path.text, R_OK) == 0)
            continue;
        printf("skipped: %s is missing\n", path.text);
        return false;
    }
    return true;
}

/* The file's content; json_decref() it. Fails the test where it isn't JSON. */
static inline json_t *vectors_load(const char *name)
{
    json_error_t error;
    json_t *root = json_load_file(vectors_path(name).text, 0, &error);
    if (root == NULL)
        fail_msg("%s:%d: %s", name, error.line, error.text);
    return root;
}

/* A text field, which must be there. */
static inline const char *vectors_text(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    if (text == NULL)
        fail_msg("no text field %s", field);
    return text;
}

/* A field in hex; free it. */
static inline struct owned vectors_hex(const json_t *object, const char *field)
{
    return unhex(vectors_text(object, field));
}

#endif

/* The corpus that make_corpus writes: real objects as seeds, one folder a target. */
#ifndef TESTS_FUZZ_CORPUS_H
#define TESTS_FUZZ_CORPUS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/writer.h"

/* Writes FOLDER/target/name: the choice bytes (up to four, each at the front of the file), then the bytes. */
void corpus_add(const char *target, const char *name, struct hs_bytes choices, struct hs_bytes bytes);

/* For a target that takes one choice. */
void corpus_add1(const char *target, const char *name, uint8_t choice, struct hs_bytes bytes);

void corpus_stream(struct hs_arena *arena);
void corpus_objects(struct hs_arena *arena);
void corpus_rooms(struct hs_arena *arena);
void corpus_mls(struct hs_arena *arena);
struct mls_world;
void corpus_mls_parts(const struct mls_world *w, unsigned which);
void corpus_deals(struct hs_arena *arena);
void corpus_discovery(struct hs_arena *arena);

#endif

/* Commands that ask the running node: hansed status, peers, rooms. One row of the table in ask_table.c and
 * one function that shows the answer; the node's half is in commands.h. */
#ifndef HS_ADMIN_ASK_H
#define HS_ADMIN_ASK_H

#include "admin/config.h"

#include <jansson.h>
#include <stdio.h>

struct hs_ask_command {
    const char *name;
    const char *args; /* for the usage line: "[ROOM]" */
    const char *help; /* what it does and shows, with examples; ends with a newline */
    int args_max;
    /* Adds what was asked to the request; false, said, where the arguments aren't right. May be NULL. */
    bool (*request)(int argc, char **argv, json_t *request);
    /* The answer for people. */
    void (*show)(const json_t *answer, FILE *out);
    /* Where answers come in pages: the array that goes on while "more" is true, and what of its last row is
     * asked as "after". NULL: there is one page. */
    const char *pages, *after;
};

extern const struct hs_ask_command hs_ask_commands[];
extern const size_t hs_ask_command_count;

/* Runs it: parses --config, --json and --help, asks, prints. The exit code. */
int hs_cmd_ask(const struct hs_ask_command *command, int argc, char **argv);

/* One question to the node whose data directory that is. The answer is the caller's. UNREACHABLE where no
 * node runs, DENIED where this user may not ask; TIMEOUT, CLOSED, MALFORMED, NOMEM, INVALID_ARG. */
enum hs_err hs_ask(const char *dir, const json_t *request, json_t **answer);

/* Fields of an answer: 0, "" or false where there is none. */
int64_t hs_ask_number(const json_t *object, const char *key);
double hs_ask_real(const json_t *object, const char *key);
const char *hs_ask_text(const json_t *object, const char *key);
bool hs_ask_flag(const json_t *object, const char *key);

/* ask_show.c */
void hs_show_status(const json_t *answer, FILE *out);
void hs_show_peers(const json_t *answer, FILE *out);
void hs_show_reload(const json_t *answer, FILE *out);
void hs_show_rooms(const json_t *answer, FILE *out);
bool hs_request_rooms_or_give_up(int argc, char **argv, json_t *request);
bool hs_request_rooms(int argc, char **argv, json_t *request);

/* ask_roots.c: what hansed peers says of domains with another root; true where the answer is on a decision */
bool hs_request_peers(int argc, char **argv, json_t *request);
bool hs_show_decided(const json_t *answer, FILE *out);
void hs_show_roots(const json_t *answer, FILE *out);

/* ask_recover.c */
bool hs_request_resume(int argc, char **argv, json_t *request);
/* What a restored ledger was shown: a line, and one more where units were redeemed twice. */
void hs_show_proofs(const json_t *proofs, FILE *out);
void hs_show_resume(const json_t *answer, FILE *out);
void hs_show_evidence(const json_t *answer, FILE *out);

#endif

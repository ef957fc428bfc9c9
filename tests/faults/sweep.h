/* Some path of this program under faults: every call of every kind that it makes fails in turn, each time in
 * a process of its own. Each leaves memory and files as many as there were, and no descriptor open. */
#ifndef TESTS_FAULTS_SWEEP_H
#define TESTS_FAULTS_SWEEP_H

#include "fault.h"
#include "inject.h"

#include "base/err.h"

/* Begins and ends without faults; act runs under them and returns what it was told, which may be any error.
 * Then, without faults, check. What act opens it closes: afterwards there is as much memory and there are as
 * many descriptors as before. */
struct sweep_scene {
    const char *name;
    unsigned calls;      /* a bit for each kind that may fail; 0: every one */
    unsigned rare;       /* of these, those that fail with --all only */
    unsigned certain;    /* that it makes for certain: some must have failed, where they may */
    void (*found)(void); /* once, in the first process; NULL: nothing */
    void (*begin)(void);
    enum hs_err (*act)(void);
    void (*check)(enum hs_err told);
    void (*end)(void);
    void (*again)(void); /* instead of begin and act, in another process, where a library aborted the one of
                          * the attempt: then come check and end. NULL: nobody looks then */
    bool apart;          /* act is another program's: its memory isn't counted */
    bool alone;          /* attempts have something in common: one at a time */
    bool fresh;          /* begin works on what found has made: only in the process of an attempt */
    bool waits;          /* most of an attempt is waiting: many at once */
    long kept;           /* at most so many blocks of memory a library in it forgets where it gets no more */
    bool may_abort;      /* a library in it does so for lack of memory, threads or ways to wait */
};

extern const struct sweep_scene sweep_blob, sweep_again, sweep_carry, sweep_http, sweep_find, sweep_wake,
    sweep_backup, sweep_restore, sweep_check, sweep_init, sweep_issue, sweep_asker, sweep_asked, sweep_client,
    sweep_join, sweep_welcome, sweep_leave, sweep_rejoin, sweep_home, sweep_follow, sweep_office,
    sweep_attach, sweep_fetch, sweep_claim, sweep_order, sweep_real_join, sweep_real_leave, sweep_real_attach,
    sweep_real_fetch, sweep_real_claim, sweep_real_order, sweep_real_home, sweep_real_rejoin,
    sweep_real_follow, sweep_real_office, sweep_real_welcome, sweep_admit, sweep_real_admit, sweep_witness,
    sweep_door;

/* The folder of this attempt: begin finds it empty. */
const char *sweep_dir(void);

/* What fails in this attempt. */
enum inject_call sweep_call(void);

/* And whether all calls behind it do. */
bool sweep_goes_on(void);

/* And whether it came to that. */
bool sweep_has_failed(void);

/* Sockets of this process that want an address of this machine get that one. */
void sweep_move_to(const char *host);

/* Nothing fails any more, even before act ends. */
void sweep_calm(void);

/* This thread has done all: what OpenSSL keeps for it, of what went wrong, goes. */
void sweep_thread_over(void);

/* The attempt was told that what it does is done; and whether it was, after an abort, too. */
void sweep_note_done(void);
bool sweep_noted_done(void);

/* This thread is spared. */
void sweep_spare(bool spared);

/* The file of the table that counts, for INJECT_FILE of a process that act starts. */
const char *sweep_table(void);

#endif

/* Errors: one enum for the whole project, no errno, no thread-local state, no strings inside. */
#ifndef HS_BASE_ERR_H
#define HS_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

/* A result that is thrown away doesn't compile. */
enum [[nodiscard]] hs_err{
    HS_OK = 0,
#define ROW(name, number, text) HS_ERR_##name = number,
#include "base/errors.def"
#undef ROW
};

/* The sentence for err, for people: static, never NULL. */
const char *hs_err_text(enum hs_err err);

/* The name of err without prefix ("COUPON_USED"), for programs: static, never NULL. */
const char *hs_err_name(enum hs_err err);

/* What goes on the wire for err: the positive number of a fault of the other side, of BUSY, NOT_FOUND and
 * STORE_FULL; 1 ("internal") for everything else, so that nobody learns of this machine's troubles. */
uint32_t hs_err_to_wire(enum hs_err err);

/* The error that wire code stands for; MALFORMED for an unknown one, IO for "internal". */
enum hs_err hs_err_from_wire(uint32_t code);

/* True where trying the same thing again later can help (BUSY, TIMEOUT, UNREACHABLE, CLOSED, RATE_LIMITED,
 * STORE_FULL, IO). */
bool hs_err_is_transient(enum hs_err err);

/* Such an error's milliseconds until it is worth while to ask again; 0 for the others. */
uint32_t hs_err_again_ms(enum hs_err err);

/* The only two macros that change the flow: return on error; return err unless cond holds. */
#define HS_TRY(expr)                                                                                         \
    do {                                                                                                     \
        enum hs_err hs_try_err_ = (expr);                                                                    \
        if (hs_try_err_ != HS_OK)                                                                            \
            return hs_try_err_;                                                                              \
    } while (0)
#define HS_REQUIRE(cond, err)                                                                                \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            return (err);                                                                                    \
    } while (0)

/* A bug in this program ends it, in every build type. */
#define HS_ASSERT(cond) ((cond) ? (void)0 : hs_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void hs_assert_failed(const char *cond, const char *file, int line);

#endif

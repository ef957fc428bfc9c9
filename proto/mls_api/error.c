/* The public errors are those of the project, by name, number and text: a missing one doesn't compile. */
#include "base/err.h"
#include "hanse/mls.h"

#define ROW(name, number, text)                                                                              \
    _Static_assert((int)HANSE_ERR_##name == (int)HS_ERR_##name, "hanse/err.h says another number");
#include "base/errors.def"
#undef ROW
_Static_assert((int)HANSE_OK == (int)HS_OK, "success is 0");

const char *hanse_mls_strerror(enum hanse_err err)
{
    return hs_err_text((enum hs_err)err);
}

const char *hanse_mls_errname(enum hanse_err err)
{
    return hs_err_name((enum hs_err)err);
}

const char *hanse_mls_version(void)
{
    return HANSE_VERSION;
}

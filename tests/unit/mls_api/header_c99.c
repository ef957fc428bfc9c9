/* hanse/mls.h alone, as a C99 program includes it. */
#include <hanse/mls.h>

struct hanse_mls_bytes mls_header_c99(const struct hanse_mls_buf *buf);
struct hanse_mls_bytes mls_header_c99(const struct hanse_mls_buf *buf)
{
    return hanse_mls_view(buf);
}

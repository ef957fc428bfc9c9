#include "core/federation/url.h"

static size_t prefix_of(struct hs_bytes url, const char *prefix)
{
    size_t len = strlen(prefix);
    return url.len > len && memcmp(url.data, prefix, len) == 0 ? len : 0;
}

bool hs_url_is_valid(struct hs_bytes url, bool http)
{
    size_t prefix = prefix_of(url, "https://");
    if (prefix == 0 && http)
        prefix = prefix_of(url, "http://");
    if (prefix == 0 || url.len > HS_URL_MAX || url.data[prefix] == '/' || url.data[prefix] == ':')
        return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.data[i] <= ' ' || url.data[i] > '~' || url.data[i] == '@' || url.data[i] == '\\')
            return false;
    return true;
}

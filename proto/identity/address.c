/* What domains and addresses look like. */
#include "identity/descriptor.h"

static bool label_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool label_is_valid(const uint8_t *label, size_t len)
{
    if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!label_char(label[i]))
            return false;
    return true;
}

bool hs_domain_is_valid(struct hs_bytes domain)
{
    if (domain.len == 0 || domain.len > HS_DOMAIN_MAX)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= domain.len; i++) {
        if (i < domain.len && domain.data[i] != '.')
            continue;
        if (!label_is_valid(domain.data + start, i - start))
            return false;
        start = i + 1;
    }
    return true;
}

static bool port_is_valid(struct hs_bytes port)
{
    if (port.len == 0 || port.len > 5 || port.data[0] == '0')
        return false;
    unsigned value = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(port.data[i] - '0');
    }
    return value <= 65535;
}

/* The text inside the brackets of "[::1]": its characters and length; whether it is an address is found out
 * when it is used. */
static bool ipv6_is_plausible(struct hs_bytes text)
{
    size_t colons = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == ':')
            colons++;
        else if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && c != '.')
            return false;
    }
    return colons >= 2 && text.len <= 45;
}

bool hs_address_is_valid(struct hs_bytes address)
{
    if (address.len == 0 || address.len > HS_ADDRESS_MAX)
        return false;
    size_t colon = address.len;
    while (colon > 0 && address.data[colon - 1] != ':')
        colon--;
    if (colon < 2 || !port_is_valid(hs_bytes(address.data + colon, address.len - colon)))
        return false;
    struct hs_bytes host = hs_bytes(address.data, colon - 1);
    if (host.data[0] == '[')
        return host.len > 2 && host.data[host.len - 1] == ']' &&
               ipv6_is_plausible(hs_bytes(host.data + 1, host.len - 2));
    /* An IPv4 address has a domain's syntax too. */
    return hs_domain_is_valid(host);
}

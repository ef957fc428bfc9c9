#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static bool port_is_valid(const char *port)
{
    size_t len = strlen(port);
    if (len == 0 || len > 5 || strspn(port, "0123456789") != len || (port[0] == '0' && len > 1))
        return false;
    return strtoul(port, NULL, 10) <= 65535;
}

enum hs_err hs_address_split(const char *text, char host[static HS_HOST_SIZE], char port[static HS_PORT_SIZE])
{
    const char *colon = strrchr(text, ':');
    HS_REQUIRE(colon != NULL && port_is_valid(colon + 1), HS_ERR_MALFORMED);
    size_t len = (size_t)(colon - text);
    bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    HS_REQUIRE(len > 0 && len < HS_HOST_SIZE, HS_ERR_MALFORMED);
    HS_REQUIRE(bracketed == (memchr(text, ':', len) != NULL), HS_ERR_MALFORMED);
    memcpy(host, text, len);
    host[len] = '\0';
    strcpy(port, colon + 1);
    return HS_OK;
}

enum hs_err hs_address_parse(const char *text, struct sockaddr_storage *out)
{
    char host[HS_HOST_SIZE], port[HS_PORT_SIZE];
    HS_TRY(hs_address_split(text, host, port));
    in_port_t number = htons((uint16_t)strtoul(port, NULL, 10));
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = number};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = number};
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        memcpy(out, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        memcpy(out, &v6, sizeof v6);
    else
        return HS_ERR_MALFORMED;
    return HS_OK;
}

bool hs_address_is_loopback(const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

void hs_address_text(const struct sockaddr *address, char out[static 64])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
        snprintf(out, 64, "[%s]:%u", host, ntohs(v6.sin6_port));
        return;
    }
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    snprintf(out, 64, "%s:%u", host, ntohs(v4.sin_port));
}

struct hs_bytes hs_address_owner(const struct sockaddr_storage *address)
{
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
        return hs_bytes(v6->s6_addr + 12, 4);
    if (address->ss_family == AF_INET6)
        return hs_bytes(v6->s6_addr, 8);
    return hs_bytes(&((const struct sockaddr_in *)address)->sin_addr, 4);
}

struct range {
    uint32_t net, mask;
};

static bool v4_is_public(uint32_t ip)
{
    static const struct range ranges[] = {
        {0x00000000, 0xff000000}, {0x0a000000, 0xff000000},
        {0x64400000, 0xffc00000}, /* 0/8, 10/8, 100.64/10 */
        {0x7f000000, 0xff000000}, {0xa9fe0000, 0xffff0000},
        {0xac100000, 0xfff00000}, /* 127/8, 169.254, 172.16/12 */
        {0xc0000000, 0xffffff00}, {0xc0000200, 0xffffff00},
        {0xc0a80000, 0xffff0000}, /* 192.0.0, 192.0.2, 192.168 */
        {0xc6120000, 0xfffe0000}, {0xc6336400, 0xffffff00},
        {0xcb007100, 0xffffff00}, /* 198.18/15, 198.51.100, 203.0.113 */
        {0xe0000000, 0xe0000000}, /* 224/3: groups, reserved */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if ((ip & ranges[i].mask) == ranges[i].net)
            return false;
    return true;
}

static uint32_t v4_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Global unicast is 2000::/3; of that, what carries an IPv4 address is as good as this one. */
static bool v6_is_public(const uint8_t ip[static 16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(ip, mapped, 12) == 0 || memcmp(ip, nat64, 12) == 0)
        return v4_is_public(v4_at(ip + 12));
    if ((ip[0] & 0xe0) != 0x20)
        return false;
    if (ip[0] == 0x20 && ip[1] == 0x02)
        return v4_is_public(v4_at(ip + 2));
    bool special = ip[0] == 0x20 && ip[1] == 0x01 && ip[2] < 0x02; /* 2001::/23: Teredo and others */
    bool example = ip[0] == 0x20 && ip[1] == 0x01 && ip[2] == 0x0d && ip[3] == 0xb8;
    return !special && !example;
}

bool hs_address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return v4_is_public(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof v6);
    return v6_is_public(v6.sin6_addr.s6_addr);
}

bool hs_address_is_inside(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (hs_address_is_public(address))
        return false;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return v4.sin_addr.s_addr != htonl(INADDR_ANY);
    }
    memcpy(&v6, address, sizeof v6);
    return address->sa_family == AF_INET6 && !IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

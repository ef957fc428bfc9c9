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

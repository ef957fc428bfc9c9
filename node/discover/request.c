#include "discover/request.h"

#include "core/federation/url.h"
#include "net/address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct hs_request *request = arg;
    size_t len = size * count;
    if (len > sizeof request->body - request->len) {
        request->big = true;
        return 0;
    }
    memcpy(request->body + request->len, data, len);
    request->len += len;
    return len;
}

/* After the lookup and before the connection: a name that points inside is caught here, however often it
 * changes. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct hs_request *request = arg;
    (void)purpose;
    if (!request->private_too && !hs_address_is_public(&address->addr)) {
        request->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Options whose values are right here can't fail but for memory; one that isn't set would be what the
 * environment says, such as somebody's proxy. */
static bool set_options(struct hs_request *request)
{
    CURL *easy = request->easy;
    bool set = true;
#define SET(option, value) set = curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK && set
    SET(URL, request->url);
    SET(PRIVATE, request);
    SET(PROTOCOLS_STR, request->http ? "https,http" : "https");
    SET(FOLLOWLOCATION, 0L);
    SET(SSL_VERIFYPEER, 1L);
    SET(SSL_VERIFYHOST, 2L);
    SET(PROXY, "");
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L);
    SET(FORBID_REUSE, 1L);
    SET(TIMEOUT_MS, (long)HS_REQUEST_MS);
    SET(MAXFILESIZE, (long)HS_REQUEST_BODY_MAX);
    SET(USERAGENT, "hansed");
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, request);
    SET(OPENSOCKETFUNCTION, on_socket);
    SET(OPENSOCKETDATA, request);
    if (request->post) {
        SET(POSTFIELDSIZE, 0L);
        SET(POSTFIELDS, "");
    }
#undef SET
    return set;
}

enum hs_err hs_request_begin(struct hs_request *request)
{
    HS_REQUIRE(hs_url_is_valid(hs_bytes_str(request->url), request->http), HS_ERR_INVALID_ARG);
    request->easy = curl_easy_init();
    HS_REQUIRE(request->easy != NULL, HS_ERR_NOMEM);
    request->refused = request->big = false;
    request->len = 0;
    if (set_options(request))
        return HS_OK;
    curl_easy_cleanup(request->easy);
    request->easy = NULL;
    return HS_ERR_NOMEM;
}

CURLcode hs_request_perform(struct hs_request *request, const atomic_bool *stop)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    CURLM *multi = curl_multi_init();
    int running = 1, left = 0;
    if (multi == NULL || curl_multi_add_handle(multi, request->easy) != CURLM_OK)
        running = 0;
    while (running > 0 && !atomic_load(stop))
        if (curl_multi_perform(multi, &running) != CURLM_OK ||
            (running > 0 && curl_multi_poll(multi, NULL, 0, 100, NULL) != CURLM_OK))
            break;
    const CURLMsg *message = multi != NULL && running == 0 ? curl_multi_info_read(multi, &left) : NULL;
    if (message != NULL && message->msg == CURLMSG_DONE)
        code = message->data.result;
    if (multi != NULL) {
        curl_multi_remove_handle(multi, request->easy);
        curl_multi_cleanup(multi);
    }
    return code;
}

enum hs_err hs_request_end(struct hs_request *request, CURLcode code, long *status)
{
    *status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, status);
    curl_easy_cleanup(request->easy);
    request->easy = NULL;
    if (code == CURLE_OK)
        return HS_OK;
    if (request->refused)
        return HS_ERR_DENIED;
    if (request->big || code == CURLE_FILESIZE_EXCEEDED)
        return HS_ERR_TOO_LARGE;
    return code == CURLE_OPERATION_TIMEDOUT ? HS_ERR_TIMEOUT : HS_ERR_UNREACHABLE;
}

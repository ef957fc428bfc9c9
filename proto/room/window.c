#include "room/window.h"

void hs_window_end(struct hs_window *window, uint64_t epoch, struct hs_time at, bool strict)
{
    if (strict) {
        *window = (struct hs_window){0};
        return;
    }
    if (window->count == HS_ROOM_PAST_EPOCHS)
        memmove(window->past, window->past + 1, --window->count * sizeof window->past[0]);
    window->past[window->count++] = (struct hs_window_end){epoch, at};
}

enum hs_err hs_window_takes(const struct hs_window *window, uint64_t now, uint64_t epoch, struct hs_time at)
{
    HS_REQUIRE(epoch <= now, HS_ERR_WRONG_EPOCH);
    if (epoch == now)
        return HS_OK;
    for (size_t i = 0; i < window->count; i++)
        if (window->past[i].epoch == epoch && at.ms - window->past[i].ended.ms < HS_ROOM_WINDOW_S * 1000)
            return HS_OK;
    return HS_ERR_EPOCH_TOO_OLD;
}

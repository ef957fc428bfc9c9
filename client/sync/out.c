#include "sync/state.h"

#include <stdlib.h>

enum hs_err hs_out_frame(struct hs_step *s, struct hs_bytes frame)
{
    struct hs_frame_out *out = malloc(sizeof *out + frame.len);
    HS_REQUIRE(out != NULL, HS_ERR_NOMEM);
    out->next = NULL;
    out->len = frame.len;
    memcpy(out->data, frame.data, frame.len);
    struct hs_frame_out **end = &s->sync->frames.fresh;
    while (*end != NULL)
        end = &(*end)->next;
    *end = out;
    return HS_OK;
}

enum hs_err hs_out_event(struct hs_step *s, const struct hanse_event *event, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    struct hs_event_out *out = calloc(1, sizeof *out + len + 1);
    HS_REQUIRE(out != NULL, HS_ERR_NOMEM);
    out->event = *event;
    out->event.text = out->text;
    if (len > 0)
        memcpy(out->text, text, len);
    struct hs_event_out **end = &s->sync->events.fresh;
    while (*end != NULL)
        end = &(*end)->next;
    *end = out;
    return HS_OK;
}

static void frames_free(struct hs_frame_out **list)
{
    while (*list != NULL) {
        struct hs_frame_out *first = *list;
        *list = first->next;
        hs_wipe(first->data, first->len);
        free(first);
    }
}

static void event_free(struct hs_event_out *event)
{
    if (event != NULL)
        hs_wipe(event->text, strlen(event->text));
    free(event);
}

static void events_free(struct hs_event_out **list)
{
    while (*list != NULL) {
        struct hs_event_out *first = *list;
        *list = first->next;
        event_free(first);
    }
}

void hs_out_drop(struct hs_sync *sync, bool with_ready)
{
    frames_free(&sync->frames.fresh);
    events_free(&sync->events.fresh);
    if (!with_ready)
        return;
    frames_free(&sync->frames.ready);
    events_free(&sync->events.ready);
    frames_free(&sync->frame_shown);
    events_free(&sync->event_shown);
}

void hs_out_drop_frames(struct hs_sync *sync)
{
    frames_free(&sync->frames.fresh);
    frames_free(&sync->frames.ready);
}

void hs_out_release(struct hs_sync *sync)
{
    struct hs_frame_out **frames = &sync->frames.ready;
    while (*frames != NULL)
        frames = &(*frames)->next;
    *frames = sync->frames.fresh;
    sync->frames.fresh = NULL;
    struct hs_event_out **events = &sync->events.ready;
    while (*events != NULL)
        events = &(*events)->next;
    *events = sync->events.fresh;
    sync->events.fresh = NULL;
}

bool hs_sync_next_frame(struct hs_sync *sync, struct hs_bytes *frame)
{
    frames_free(&sync->frame_shown);
    struct hs_frame_out *first = sync->frames.ready;
    if (first == NULL)
        return false;
    sync->frames.ready = first->next;
    first->next = NULL;
    sync->frame_shown = first;
    *frame = hs_bytes(first->data, first->len);
    return true;
}

void hs_sync_next_event(struct hs_sync *sync, struct hanse_event *event)
{
    events_free(&sync->event_shown);
    *event = (struct hanse_event){.text = ""};
    struct hs_event_out *first = sync->events.ready;
    if (first == NULL)
        return;
    sync->events.ready = first->next;
    first->next = NULL;
    sync->event_shown = first;
    *event = first->event;
}

bool hs_sync_has_frame(const struct hs_sync *sync)
{
    return sync->frames.ready != NULL;
}

bool hs_sync_has_event(const struct hs_sync *sync)
{
    return sync->events.ready != NULL;
}

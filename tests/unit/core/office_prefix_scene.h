/* A room of which the whole log has to be at the new hub first, and what goes to and fro for that. */
#ifndef TESTS_CORE_OFFICE_PREFIX_SCENE_H
#define TESTS_CORE_OFFICE_PREFIX_SCENE_H

#include "office_view.h"

#include "core/office/office.h"
#include "core/office/takeover.h"
#include "wire/unpack.h"

#include <stdio.h>

[[maybe_unused]] static bool is_wanted(struct scene *s)
{
    struct hs_turn turn = reading(s, s->new);
    return hs_takeover_is_wanted(&turn, &s->room->id);
}

[[maybe_unused]] static bool is_in_office(struct scene *s)
{
    const Hanse__State__RoomView *view = view_at(s, s->new);
    return view->hub && view->office_end == 0;
}

/* Each record from the first one on, and each continues the one before it. */
[[maybe_unused]] static void has_all(struct scene *s, struct world_node *node)
{
    struct hs_turn turn = reading(s, node);
    const Hanse__State__RoomView *view = view_at(s, node);
    struct hs_log_tip tip = {0};
    assert_int_equal(view->first_seq, 0);
    for (uint64_t seq = 0; seq < view->next_seq; seq++) {
        struct hs_record_header header;
        Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
        assert_non_null(entry);
        assert_ok(hs_log_check_next(&tip, &s->room->id, hs_pb_bytes(entry->header), hs_pb_bytes(entry->body),
                                    &header));
    }
    assert_bytes(HS_VIEW(tip.hash), hs_pb_bytes(view->hash));
}

/* What becomes of frames between the old hub and the new one. */
struct wire {
    struct scene *s;
    Hanse__Frame__BodyCase drop; /* of these all, from whomever */
    size_t pass;                 /* so many frames go through, then the old hub is dead */
    size_t seen, tails;
    void (*change)(Hanse__Frame *frame); /* a Tail on its way to the new hub */
};

[[maybe_unused]] static enum world_verdict on_wire(void *ctx, struct world_node *from, struct world_node *to,
                                                   struct hs_bytes *frame)
{
    struct wire *wire = ctx;
    struct scene *s = wire->s;
    Hanse__Frame *f;
    if ((from != s->old || to != s->new) && (from != s->new || to != s->old))
        return WORLD_PASS;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (wire->seen++ >= wire->pass || f->body_case == wire->drop)
        return WORLD_DROP;
    wire->tails += f->body_case == HANSE__FRAME__BODY_TAIL;
    if (wire->change != NULL && f->body_case == HANSE__FRAME__BODY_TAIL) {
        wire->change(f);
        *frame = world_pack(s->w, &f->base);
    }
    return WORLD_PASS;
}

[[maybe_unused]] static void hook(struct scene *s, struct wire *wire)
{
    wire->s = s;
    s->w->hook = on_wire;
    s->w->hook_ctx = wire;
}

[[maybe_unused]] static void unhook(struct scene *s)
{
    s->w->hook = NULL;
}

[[maybe_unused]] static void kill_old(struct scene *s)
{
    s->old->down = true;
    for (size_t i = 0; i < s->w->link_count; i++)
        if (s->w->links[i].open && (s->w->links[i].node[0] == s->old || s->w->links[i].node[1] == s->old))
            world_close(s->w, s->w->links[i].id[0]);
    world_run(s->w);
}

[[maybe_unused]] static void say_much(struct scene *s, struct world_room *by, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "more %zu", i);
        assert_ok(world_post(by, text, NULL));
    }
    world_settle(s->w);
}

[[maybe_unused]] static void asks(struct scene *s)
{
    assert_ok(world_forward(s->rosa, s->old, scene_move_frame(s, s->room, s->new, 2), NULL));
    world_settle(s->w);
}

#endif

/* Whether a follower goes on at the hub in office, whatever the former one does. */
#ifndef TESTS_CORE_OFFICE_FORMER_SCENE_H
#define TESTS_CORE_OFFICE_FORMER_SCENE_H

#include "office_view.h"

[[maybe_unused]] static void sees(const struct world_room *room, const char *text)
{
    assert_true(room->post_count > 0);
    assert_string_equal(room->posts[room->post_count - 1], text);
}

[[maybe_unused]] static void still_follows(struct scene *s, const char *text)
{
    assert_bytes(hs_pb_bytes(view_at(s, s->third)->hub_root), HS_VIEW(s->new->root.pub));
    assert_int_equal(view_at(s, s->third)->hub_term, 2);
    scene_pass(s, 3);
    assert_ok(world_post(s->room, text, NULL));
    world_settle(s->w);
    scene_pass(s, 1);
    assert_int_equal(view_at(s, s->third)->next_seq, view_at(s, s->new)->next_seq);
    sees(s->alices, text);
}

#endif

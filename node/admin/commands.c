#include "admin/commands.h"

#include "base/text.h"

const struct hs_control_command hs_control_commands[] = {
    {"status", hs_control_status_ask, hs_control_status},
    {"peers", hs_control_peers_ask, hs_control_peers},
    {"rooms", hs_control_rooms_ask, hs_control_rooms},
    {"reload", NULL, hs_control_reload},
    {"resume", hs_control_resume_ask, hs_control_resume},
    {"evidence", hs_control_evidence_ask, hs_control_evidence},
};
const size_t hs_control_command_count = sizeof hs_control_commands / sizeof *hs_control_commands;

json_t *hs_json_hex(struct hs_bytes bytes)
{
    char text[HS_HEX_SIZE(HS_HASH_LEN)] = "";
    return json_string(bytes.len <= HS_HASH_LEN ? hs_hex(bytes, text) : "");
}

json_t *hs_json_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}

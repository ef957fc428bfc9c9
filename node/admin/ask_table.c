#include "admin/ask.h"

const struct hs_ask_command hs_ask_commands[] = {
    {.name = "status",
     .args = "",
     .help =
         "The node at a glance: sessions, rooms, how full its store is, and what it did a second since the\n"
         "last time somebody asked.\n"
         "\n"
         "  --json   one line of JSON\n",
     .show = hs_show_status},
    {.name = "peers",
     .args = "[approve DOMAIN ROOT | refuse DOMAIN]",
     .help =
         "Other brands' nodes: those that this one dials, because rooms of theirs are read here or posts\n"
         "wait for them, and those that came by themselves.\n"
         "\n"
         "  ROOT      with a ! where the node's domain shows another root than this one\n"
         "  STANDING  what it may do here: stranger, invited, allowed, blocked\n"
         "  OUT       the session that this node keeps to it: down, dialling, greeting, up; - none is "
         "wanted\n"
         "  FAILED    how often in a row it couldn't be reached\n"
         "  IN        it has a session here, and reads so many rooms of this node\n"
         "  OUTBOX    posts that wait for it, kept until it has taken them\n"
         "\n"
         "A domain that shows another root than the known one may be a brand that had to make a new one, or\n"
         "somebody in its place: nothing is done under the new root until you say so. Ask the brand's "
         "people,\n"
         "by another way than this domain, for the root that hansed status shows there. Then:\n"
         "\n"
         "  approve DOMAIN ROOT   the domain is that root's from now on; all 64 digits, as they told you\n"
         "  refuse DOMAIN         the root that it shows isn't taken, and not told again\n"
         "\n"
         "Rooms that the former root orders stay with it until they are moved; blocks stay.\n"
         "\n"
         "  --json   one line of JSON\n"
         "\n"
         "Examples:\n"
         "  hansed peers --config rosa/hansed.conf\n"
         "  hansed peers refuse kaffee.example --config rosa/hansed.conf\n",
     .args_max = 3,
     .request = hs_request_peers,
     .show = hs_show_peers},
    {.name = "rooms",
     .args = "[ROOM | give-up ROOM]",
     .help =
         "The rooms that this node orders (hub) or keeps a copy of. With ROOM, the first digits of an id,\n"
         "one of them and the nodes that are home to its members. SIZE is what its records take, without\n"
         "attachments.\n"
         "\n"
         "  comes          an owner gives it to this node, which fetches its log before it takes it over\n"
         "  waits          this node orders it, but has to gather first what that needs\n"
         "  give-up ROOM   it isn't to come here; its owner is told. Not once the room has been given away\n"
         "\n"
         "  --json   one line of JSON\n"
         "\n"
         "Example:\n"
         "  hansed rooms 3f9a --config rosa/hansed.conf\n"
         "  hansed rooms give-up 3f9a --config rosa/hansed.conf\n",
     .args_max = 2,
     .request = hs_request_rooms_or_give_up,
     .show = hs_show_rooms,
     .pages = "rooms",
     .after = "id"},
    {.name = "reload",
     .args = "",
     .help =
         "Reads the configuration again, as SIGHUP does: the log's level and form, the limits of "
         "connections,\n"
         "and what is said of other nodes. No session ends. Where the files have a mistake, it is named and\n"
         "everything stays as it was.\n"
         "\n"
         "  --json   one line of JSON; \"restart\" names the keys that count from the next start on\n",
     .show = hs_show_reload},
    {.name = "resume",
     .args = "[ROOM | all]",
     .help =
         "After a restoring: ROOM, the first digits of an id, goes on without waiting for those who read "
         "it;\n"
         "or all rooms, and the ledger. What was said since the backup, and what nobody has brought back, "
         "is\n"
         "lost then, and whoever holds it has proof against this node. To the ledger tills and customers "
         "show\n"
         "what it has signed since the backup: once every till has shown all, no redemption is forgotten.\n"
         "Of a till that is lost, the customers' receipts count; a coupon of which nobody shows the receipt\n"
         "can be redeemed once more. Without an argument: what stands still, and what came back.\n"
         "\n"
         "  --json   one line of JSON\n",
     .args_max = 1,
     .request = hs_request_resume,
     .show = hs_show_resume},
    {.name = "evidence",
     .args = "[ROOM]",
     .help =
         "Hubs that were caught telling two stories of a room that is followed here. With ROOM and --json,\n"
         "\"file\" is the evidence in hex: as a file, hanse verify checks it.\n"
         "\n"
         "  --json   one line of JSON\n",
     .args_max = 1,
     .request = hs_request_rooms,
     .show = hs_show_evidence},
};
const size_t hs_ask_command_count = sizeof hs_ask_commands / sizeof *hs_ask_commands;

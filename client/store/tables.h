/* The tables of the client's store and what their keys are made of. Keys are in clear, values are sealed.
 * A table's number is that of stores which are there already: new ones go to the end. */
#ifndef HS_STORE_TABLES_H
#define HS_STORE_TABLES_H

enum hs_table {
    HS_TABLE_META,        /* "me", "seal", "counter" */
    HS_TABLE_ROOM,        /* room */
    HS_TABLE_GROUP,       /* room || record (mls/store.h): the MLS state */
    HS_TABLE_MESSAGE,     /* room || seq */
    HS_TABLE_CONTENT,     /* room || content id: which contents were seen */
    HS_TABLE_CHAIN,       /* room || seq: chain hashes of the last records */
    HS_TABLE_OUTBOX,      /* number: posts on their way */
    HS_TABLE_JOIN,        /* key package ref: key packages that wait for their Welcome */
    HS_TABLE_JOINER,      /* room || body hash: JOIN records that wait for a commit */
    HS_TABLE_INVITE,      /* room || invite key: INVITE records */
    HS_TABLE_OFFER,       /* offer */
    HS_TABLE_CAMPAIGN,    /* coupon definition */
    HS_TABLE_CLAIM,       /* coupon definition: one's own claim, and the coupon that came of it */
    HS_TABLE_COUPON,      /* coupon */
    HS_TABLE_ORDER,       /* order */
    HS_TABLE_EVENT,       /* order || seq: order events */
    HS_TABLE_STEP,        /* order: how far the till has come with its coupon */
    HS_TABLE_COUNTER,     /* hub root || customer: counters that were asked for or made */
    HS_TABLE_SELF,        /* root: this device's certificate for the persona of that root */
    HS_TABLE_OUTBOX_BODY, /* room || body hash: the outbox row whose record that will be */
    HS_TABLE_OPEN,        /* order: those that this device's till has still to answer */
    HS_TABLE_TAIL,        /* room || seq: the last records as they came; room || all ones: the newest head */
    HS_TABLE_EVIDENCE,    /* room: what proves that its hub told two stories */
    HS_TABLE_TREE,        /* hash: Welcomes whose tree is on its way */
    HS_TABLE_TREE_PIECE,  /* hash || offset: what of it is here */
    HS_TABLE_FILE,        /* room || seq: attachments that posts brought */
    HS_TABLE_UPLOAD,      /* room || hash of the file: attachments on their way out */
    HS_TABLE_DOWNLOAD,    /* room || seq: how far an attachment has come */
    HS_TABLE_UNSETTLED,   /* room: its newest commit, until that is settled */
    HS_TABLE_HELD,        /* room || seq: one's own posts under an epoch that isn't settled */
    HS_TABLE_WINDOW,      /* room: past epochs that posts may still come from */
    HS_TABLE_LEAVING,     /* room || persona: who waits to be taken out */
    HS_TABLE_BARS,        /* room: devices that may not commit */
    HS_TABLE_HUB_KEY, /* hub root || signing key: the descriptor that named it, where it isn't the newest */
    HS_TABLE_PUBLIC,  /* room || record: the public MLS state of a room whose keys are lost */
    HS_TABLE_GRANTS,  /* hub root: Chain with this device's grants by it, where it isn't the home */
    HS_TABLE_MOVED,   /* room || term: HubMoved, how the hub of that term went; room || 0: Moved, as it was
                         shown */
    HS_TABLE_SHOWN,   /* issuer's root: how far it was shown what it may have forgotten */
    HS_TABLE_COUNT
};

#endif

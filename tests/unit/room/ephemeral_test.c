/* Ephemeral messages: sealed for an epoch, signed by a device, and nothing else opens them. ROOM-69 */
#include "unit/room/fixture.h"

#include "room/ephemeral.h"

static const struct hs_secret32 key = {{7}};

static enum hs_err open_it(const struct hs_ephemeral *about, const struct hs_secret32 *with,
                           const struct hs_key *device, struct hs_bytes sealed)
{
    struct hs_writer HS_WRITER out = hs_writer(HS_EPHEMERAL_MAX);
    enum hs_err err = hs_ephemeral_open(about, with, device, sealed, &out);
    assert_true(err == HS_OK || out.len == 0);
    return err;
}

static void test_round(void **state)
{
    (void)state;
    struct hs_signer device = signer_of("device");
    struct hs_key other = key_of("other");
    const struct hs_ephemeral about = {id_of("room"), 9, 3};
    struct hs_writer HS_WRITER sealed = hs_writer(HS_EPHEMERAL_MAX),
                               HS_WRITER again = hs_writer(HS_EPHEMERAL_MAX);
    struct hs_writer HS_WRITER out = hs_writer(HS_EPHEMERAL_MAX);
    uint32_t leaf;
    assert_ok(hs_ephemeral_seal(&about, &key, &device, hs_bytes_str("typing"), &sealed));
    assert_ok(hs_ephemeral_seal(&about, &key, &device, hs_bytes_str("typing"), &again));
    assert_false(hs_bytes_equal(hs_writer_bytes(&sealed), hs_writer_bytes(&again))); /* another nonce */
    assert_ok(hs_ephemeral_leaf(hs_writer_bytes(&sealed), &leaf));
    assert_int_equal(leaf, 3);
    assert_ok(hs_ephemeral_open(&about, &key, &device.pub, hs_writer_bytes(&sealed), &out));
    assert_bytes(hs_writer_bytes(&out), hs_bytes_str("typing"));
    /* another room, epoch, leaf, key, device */
    struct hs_ephemeral wrong = about;
    wrong.room = id_of("another");
    assert_err(open_it(&wrong, &key, &device.pub, hs_writer_bytes(&sealed)), HS_ERR_DECRYPT);
    wrong = about;
    wrong.epoch = 10;
    assert_err(open_it(&wrong, &key, &device.pub, hs_writer_bytes(&sealed)), HS_ERR_DECRYPT);
    wrong = about;
    wrong.leaf = 4;
    assert_err(open_it(&wrong, &key, &device.pub, hs_writer_bytes(&sealed)), HS_ERR_MALFORMED);
    const struct hs_secret32 none = {{0}};
    assert_err(open_it(&about, &none, &device.pub, hs_writer_bytes(&sealed)), HS_ERR_DECRYPT);
    assert_err(open_it(&about, &key, &other, hs_writer_bytes(&sealed)), HS_ERR_BAD_SIGNATURE);
    /* every byte counts, and every length is looked at */
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_true(open_it(&about, &key, &device.pub, hs_writer_bytes(&sealed)) != HS_OK);
        sealed.data[i] ^= 1;
        assert_true(open_it(&about, &key, &device.pub, hs_bytes(sealed.data, i)) != HS_OK);
    }
}

/* Who has the epoch's key but not the device's can't speak for it. */
static void test_members_cant_pose(void **state)
{
    (void)state;
    struct hs_signer mallory = signer_of("mallory");
    struct hs_key device = key_of("device");
    const struct hs_ephemeral about = {id_of("room"), 9, 3};
    struct hs_writer HS_WRITER sealed = hs_writer(HS_EPHEMERAL_MAX);
    assert_ok(hs_ephemeral_seal(&about, &key, &mallory, hs_bytes_str("typing"), &sealed));
    assert_err(open_it(&about, &key, &device, hs_writer_bytes(&sealed)), HS_ERR_BAD_SIGNATURE);
}

static void test_sizes(void **state)
{
    (void)state;
    struct hs_signer device = signer_of("device");
    const struct hs_ephemeral about = {id_of("room"), 9, 3};
    uint8_t content[HS_EPHEMERAL_CONTENT_MAX + 1] = {0}, large[HS_EPHEMERAL_MAX + 1] = {0};
    struct hs_writer HS_WRITER sealed = hs_writer(HS_EPHEMERAL_MAX);
    uint32_t leaf;
    assert_err(hs_ephemeral_seal(&about, &key, &device, hs_bytes(content, sizeof content), &sealed),
               HS_ERR_TOO_LARGE);
    assert_ok(hs_ephemeral_seal(&about, &key, &device, hs_bytes(content, HS_EPHEMERAL_CONTENT_MAX), &sealed));
    assert_ok(open_it(&about, &key, &device.pub, hs_writer_bytes(&sealed)));
    assert_err(hs_ephemeral_leaf(hs_bytes(large, sizeof large), &leaf), HS_ERR_TOO_LARGE);
    assert_err(hs_ephemeral_leaf(hs_bytes(large, 95), &leaf), HS_ERR_MALFORMED);
    sealed.len = 0;
    assert_ok(hs_ephemeral_seal(&about, &key, &device, (struct hs_bytes){0}, &sealed));
    assert_ok(open_it(&about, &key, &device.pub, hs_writer_bytes(&sealed)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_members_cant_pose),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

#include "object/kinds.h"
#include "object/object.h"
#include "support/test.h"

#include <string.h>

/* OBJECT-1: every kind has a type string of one form, found again from its text. */
static void types_have_one_form(void **state)
{
    (void)state;
    static const char head[] = "application/vnd.hanse.", tail[] = ".v1+protobuf";
    for (enum hs_kind kind = HS_KIND_NONE + 1; kind < HS_KIND_COUNT; kind++) {
        const char *type = hs_kind_info(kind)->type;
        assert_memory_equal(type, head, strlen(head));
        assert_string_equal(type + strlen(type) - strlen(tail), tail);
        assert_int_equal(hs_kind_of(hs_bytes_str(type)), kind);
    }
    assert_int_equal(hs_kind_of(hs_bytes_str("application/vnd.hanse.offer.v2+protobuf")), HS_KIND_NONE);
    assert_int_equal(hs_kind_of(hs_bytes_str("")), HS_KIND_NONE);
}

/* OBJECT-2: every payload begins with Hdr hdr = 1; hs_hdr_of() relies on it. */
static void payloads_begin_with_header(void **state)
{
    (void)state;
    for (enum hs_kind kind = HS_KIND_NONE + 1; kind < HS_KIND_COUNT; kind++) {
        const ProtobufCFieldDescriptor *first = &hs_kind_info(kind)->payload->fields[0];
        assert_string_equal(first->name, "hdr");
        assert_int_equal(first->id, 1);
        assert_ptr_equal(first->descriptor, &hanse__hdr__descriptor);
        assert_int_equal(first->label, PROTOBUF_C_LABEL_NONE);
    }
}

/* OBJECT-3: whole objects stay within the sizes of the wire. */
static void sizes_fit_the_wire(void **state)
{
    (void)state;
    for (enum hs_kind kind = HS_KIND_NONE + 1; kind < HS_KIND_COUNT; kind++) {
        const struct hs_kind_info *info = hs_kind_info(kind);
        size_t signature = 2 + (2 + HS_KEY_LEN) + (2 + HS_SIG_LEN);
        size_t overhead = 2 + strlen(info->type) + 4 + info->signatures * signature;
        assert_true(overhead <= HS_OBJECT_OVERHEAD);
        if (kind == HS_KIND_NODE_DESCRIPTOR)
            assert_true(info->max_payload + overhead <= HS_DESCRIPTOR_MAX);
        else if (kind != HS_KIND_ORDER_EXPORT)
            assert_true(info->max_payload + overhead <= HS_OBJECT_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_one_form),
        cmocka_unit_test(payloads_begin_with_header),
        cmocka_unit_test(sizes_fit_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

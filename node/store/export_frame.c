#include "store/export_frame.h"

enum { FRAME_HEAD = 5, COUNTS = 24, MAGIC_LEN = sizeof HS_EXPORT_MAGIC - 1 };

void hs_export_file_free(struct hs_export_file *f)
{
    hs_writer_free(&f->payload);
}

static enum hs_err fail(struct hs_export_file *f, enum hs_err err, const char *why)
{
    f->why = why;
    return err;
}

struct hs_id hs_export_sum(const struct hs_export_file *f)
{
    struct hs_sha256 copy = f->sum;
    return hs_sha256_final(&copy);
}

static struct hs_export_file file_of(FILE *file)
{
    struct hs_export_file f = {.file = file, .payload = hs_writer(HS_EXPORT_FRAME_MAX)};
    hs_sha256_init(&f.sum);
    return f;
}

/* ---- writing ---- */

static enum hs_err put_bytes(struct hs_export_file *f, struct hs_bytes bytes)
{
    HS_REQUIRE(bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, f->file) == bytes.len, HS_ERR_IO);
    hs_sha256_update(&f->sum, bytes);
    f->unchecked += bytes.len;
    return HS_OK;
}

enum hs_err hs_export_file_write(FILE *file, struct hs_export_file *out)
{
    *out = file_of(file);
    return put_bytes(out, hs_bytes_str(HS_EXPORT_MAGIC));
}

static enum hs_err put_frame(struct hs_export_file *f, enum hs_export_kind kind, struct hs_bytes payload)
{
    uint8_t head[FRAME_HEAD] = {(uint8_t)kind, (uint8_t)(payload.len >> 24), (uint8_t)(payload.len >> 16),
                                (uint8_t)(payload.len >> 8), (uint8_t)payload.len};
    HS_TRY(put_bytes(f, hs_bytes(head, sizeof head)));
    return put_bytes(f, payload);
}

static enum hs_err put_sum(struct hs_export_file *f)
{
    struct hs_id sum = hs_export_sum(f);
    HS_TRY(put_frame(f, HS_EXPORT_SUM, HS_VIEW(sum)));
    f->unchecked = 0;
    return HS_OK;
}

enum hs_err hs_export_put(struct hs_export_file *f, enum hs_export_kind kind)
{
    HS_TRY(f->payload.err);
    HS_TRY(put_frame(f, kind, hs_writer_bytes(&f->payload)));
    hs_writer_reset(&f->payload);
    return f->unchecked >= HS_EXPORT_CHECK ? put_sum(f) : HS_OK;
}

static void write_signed(struct hs_writer *w, const struct hs_export_facts *facts, const struct hs_id *sum)
{
    hs_write_u64(w, facts->registers);
    hs_write_u64(w, facts->blobs);
    hs_write_u64(w, facts->records);
    hs_write_bytes(w, HS_VIEW(*sum));
}

static enum hs_err signed_bytes(const struct hs_export_facts *facts, const struct hs_id *sum,
                                struct hs_writer *w)
{
    hs_write_bytes(w, hs_bytes("hanse-export-v1", 16)); /* with its zero byte */
    write_signed(w, facts, sum);
    return w->err;
}

enum hs_err hs_export_put_end(struct hs_export_file *f, const struct hs_export_facts *facts,
                              const struct hs_signer *signer)
{
    struct hs_id sum = hs_export_sum(f);
    struct hs_writer HS_WRITER w = hs_writer(256);
    struct hs_sig sig;
    HS_TRY(signed_bytes(facts, &sum, &w));
    hs_sign(signer, hs_writer_bytes(&w), &sig);
    write_signed(&f->payload, facts, &sum);
    hs_write_bytes(&f->payload, HS_VIEW(sig));
    return hs_export_put(f, HS_EXPORT_END);
}

/* ---- reading ---- */

static enum hs_err get_bytes(struct hs_export_file *f, uint8_t *out, size_t len)
{
    if (len > 0 && fread(out, 1, len, f->file) != len)
        return ferror(f->file) ? fail(f, HS_ERR_IO, "it can't be read")
                               : fail(f, HS_ERR_MALFORMED, "it ends too early");
    hs_sha256_update(&f->sum, hs_bytes(out, len));
    f->unchecked += len;
    return HS_OK;
}

enum hs_err hs_export_file_read(FILE *file, struct hs_export_file *out)
{
    uint8_t magic[MAGIC_LEN];
    *out = file_of(file);
    HS_TRY(get_bytes(out, magic, sizeof magic));
    return memcmp(magic, HS_EXPORT_MAGIC, sizeof magic) == 0
               ? HS_OK
               : fail(out, HS_ERR_MALFORMED, "it isn't a backup of a node");
}

static enum hs_err check_sum(struct hs_export_file *f)
{
    f->unchecked = 0;
    return hs_bytes_equal(hs_writer_bytes(&f->payload), HS_VIEW(f->before))
               ? HS_OK
               : fail(f, HS_ERR_MALFORMED, "it was altered");
}

static enum hs_err get_frame(struct hs_export_file *f)
{
    uint8_t head[FRAME_HEAD];
    HS_TRY(get_bytes(f, head, sizeof head));
    size_t len = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
    f->kind = (enum hs_export_kind)head[0];
    if (len > HS_EXPORT_FRAME_MAX)
        return fail(f, HS_ERR_MALFORMED, "it was altered");
    hs_writer_reset(&f->payload);
    uint8_t *payload = hs_writer_reserve(&f->payload, len);
    HS_REQUIRE(payload != NULL || len == 0, HS_ERR_NOMEM);
    return get_bytes(f, payload, len);
}

enum hs_err hs_export_get(struct hs_export_file *f)
{
    for (;;) {
        f->before = hs_export_sum(f);
        HS_TRY(get_frame(f));
        if (f->kind != HS_EXPORT_SUM)
            break;
        HS_TRY(check_sum(f));
    }
    bool late = f->unchecked > HS_EXPORT_CHECK + HS_EXPORT_FRAME_MAX + FRAME_HEAD;
    return late ? fail(f, HS_ERR_MALFORMED, "its sums are missing") : HS_OK;
}

enum hs_err hs_export_check_end(struct hs_export_file *f, const struct hs_export_facts *facts,
                                const struct hs_key *signing_key)
{
    struct hs_writer HS_WRITER w = hs_writer(256), HS_WRITER expected = hs_writer(256);
    struct hs_bytes payload = hs_writer_bytes(&f->payload);
    HS_TRY(signed_bytes(facts, &f->before, &w));
    write_signed(&expected, facts, &f->before);
    HS_TRY(expected.err);
    size_t len = expected.len;
    if (payload.len != len + sizeof(struct hs_sig) || memcmp(payload.data, expected.data, len) != 0)
        return fail(f, HS_ERR_MALFORMED, "it was altered");
    if (hs_verify(signing_key, hs_writer_bytes(&w), hs_bytes(payload.data + len, payload.len - len)) != HS_OK)
        return fail(f, HS_ERR_BAD_SIGNATURE, "it isn't signed by the node");
    return fgetc(f->file) == EOF ? HS_OK : fail(f, HS_ERR_MALFORMED, "something stands behind its end");
}

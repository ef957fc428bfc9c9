#include "cli.h"

#include <qrencode.h>
#include <stdio.h>
#include <string.h>

/* Two rows of modules in one line of text, with a light border of 2 modules. Light modules are drawn, dark
 * ones left out; on a terminal white on black is set, so that the code has its right colours whatever the
 * theme. */
static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

void qr_print(const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (code == NULL)
        return;
    bool terminal = colour(BOLD)[0] != '\0';
    for (int y = -2; y < code->width + 2; y += 2) {
        printf("  %s", terminal ? "\033[97;40m" : "");
        for (int x = -2; x < code->width + 2; x++) {
            bool top = !is_dark(code, x, y), bottom = !is_dark(code, x, y + 1) && y + 1 < code->width + 2;
            fputs(top && bottom ? "█" : top ? "▀" : bottom ? "▄" : " ", stdout);
        }
        printf("%s\n", colour(PLAIN));
    }
    QRcode_free(code);
}

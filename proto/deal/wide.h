/* 128-bit integers, for products of two amounts: an extension that both of our compilers have. */
#ifndef HS_DEAL_WIDE_H
#define HS_DEAL_WIDE_H

__extension__ typedef __int128 hs_wide;
__extension__ typedef unsigned __int128 hs_uwide;

#endif

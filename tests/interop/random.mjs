// The same choices for the same seed (xoshiro128**, seeded by splitmix32). Keys and nonces are the peers' own.
export class Random {
  constructor(seed) {
    let x = seed >>> 0;
    this.state = Array.from({ length: 4 }, () => {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    });
  }

  next() {
    const s = this.state;
    const turn = (v, k) => (v << k) | (v >>> (32 - k));
    const out = Math.imul(turn(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = turn(s[3], 11);
    return out;
  }

  // 0 to n - 1
  below(n) {
    return this.next() % n;
  }

  chance(percent) {
    return this.below(100) < percent;
  }

  pick(list) {
    if (list.length === 0) throw new Error("nothing to pick from");
    return list[this.below(list.length)];
  }

  shuffle(list) {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  some(list, n) {
    return this.shuffle(list).slice(0, n);
  }

  bytes(n) {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }

  // weights: { name: weight }
  weighted(weights) {
    const entries = Object.entries(weights).filter(([, w]) => w > 0);
    let at = this.below(entries.reduce((sum, [, w]) => sum + w, 0));
    for (const [name, w] of entries) {
      if (at < w) return name;
      at -= w;
    }
  }
}

// One hue per peer, the same on every part of the page, and the theme's colours for what is drawn on a canvas.

/** Far apart from each other, readable on both grounds, and none of them amber, green or rose, which mean something here. */
const HUES = [222, 280, 190, 320, 250, 170, 300, 205];

export class PeerColours {
  readonly #hues = new Map<string, number>();

  of(peer: string): string {
    let hue = this.#hues.get(peer);
    if (hue === undefined) this.#hues.set(peer, (hue = HUES[this.#hues.size % HUES.length]!));
    return `hsl(${hue} 62% 56%)`;
  }
}

/** A custom property of the theme in force, e.g. `--line`. */
export function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

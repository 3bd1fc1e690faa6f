/**
 * Copies short texts out of a few large buffers, over and over: what the edge does most. A word at a time through a DataView
 * takes half the time of a byte at a time, but making the view costs as much as copying some hundred bytes. So views are made
 * only of buffers that keep coming (a decoder's chunk, the scratch space of whoever rewrote a value), and the last two are kept.
 */
export class ByteCopier {
  private last = new Uint8Array(0);
  private lastView = new DataView(this.last.buffer);
  private older = this.last;
  private olderView = this.lastView;
  private candidate = this.last;
  private votes = 0;

  /** `target` and `targetView` are over the same memory; there is room. */
  copy(source: Uint8Array, start: number, end: number, target: Uint8Array, targetView: DataView, at: number): void {
    const length = end - start;
    if (length > 96) {
      target.set(source.subarray(start, end), at);
      return;
    }
    if (length >= 4) {
      const view = source === this.last ? this.lastView : this.otherView(source);
      if (view !== undefined) {
        const stop = end - 4;
        const shift = at - start;
        for (let from = start; from < stop; from += 4) targetView.setInt32(from + shift, view.getInt32(from, true), true);
        // The last word may overlap the one before it.
        targetView.setInt32(stop + shift, view.getInt32(stop, true), true);
        return;
      }
    }
    let to = at;
    for (let from = start; from < end; from++) target[to++] = source[from] as number;
  }

  /** The view of a buffer that is not the last one: the older one's, or a new one once the buffer has won enough votes. */
  private otherView(source: Uint8Array): DataView | undefined {
    let view = this.olderView;
    if (source !== this.older) {
      if (source === this.candidate) this.votes++;
      else if (this.votes > 0) this.votes--;
      else this.candidate = source as Uint8Array<ArrayBuffer>;
      if (this.votes < VOTES_FOR_A_VIEW) return undefined;
      this.votes = 0;
      view = new DataView(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
    }
    this.older = this.last;
    this.olderView = this.lastView;
    this.last = source as Uint8Array<ArrayBuffer>;
    this.lastView = view;
    return view;
  }
}

const VOTES_FOR_A_VIEW = 16;

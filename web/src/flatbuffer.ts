/** Just enough of the FlatBuffers format, and of the schema of .tflite files, to change what stands in one. */

/** Fields of a model, and of a subgraph, by their places in the schema. */
export const SUBGRAPHS = 2;
export const BUFFERS = 4;
export const TENSORS = 0;

/** Tables that lead to tables, and to lists of whole numbers. */
export class Table {
  private readonly view: DataView;
  readonly root: number;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.root = this.followed(0);
  }

  /** Where a field of a table lies; 0 if it has its default value. */
  field(table: number, field: number): number {
    const layout = table - this.view.getInt32(table, true);
    const place = 4 + 2 * field;
    const offset = place < this.view.getUint16(layout, true) ? this.view.getUint16(layout + place, true) : 0;
    return offset && table + offset;
  }

  /** The table or list that a field leads to. */
  child(table: number, field: number): number {
    const place = this.field(table, field);
    if (!place)
      throw new RangeError(`The graph lacks a part that every graph has. Expected: field ${field} of its table.`);
    return this.followed(place);
  }

  length(list: number): number {
    return this.view.getUint32(list, true);
  }

  entry(list: number, index: number): number {
    return this.followed(list + 4 + 4 * index);
  }

  numbers(list: number): number[] {
    return Array.from({ length: this.length(list) }, (_, k) => this.view.getInt32(list + 4 + 4 * k, true));
  }

  write(list: number, index: number, value: number): void {
    this.view.setInt32(list + 4 + 4 * index, value, true);
  }

  private followed(place: number): number {
    return place + this.view.getUint32(place, true);
  }
}

import type { AvroProgram, RecordLane, UnknownFieldCount } from '../../encodings/decoder.ts';
import type { FastLane } from './fast-lane.ts';

/** The receiver's side: how far the lane may go, and where its rows go in. */
export interface LaneRoom {
  /** Records that may be taken from this one on. */
  room(recordNumber: number): number;
  nextStageRow(): number;
  took(recordNumber: number, taken: number): void;
}

/** The fast lane as decoders see it: it goes no further than the receiver has room, and is asked less often where it takes nothing. */
export class ReceiverLane implements RecordLane {
  private readonly lane: FastLane;
  private readonly receiver: LaneRoom;
  /** Records that still pass the lane by, because it took none of those before. */
  private resting = 0;
  /** How many will the next time; it grows while that stays so. */
  private rest = 1;

  constructor(lane: FastLane, receiver: LaneRoom) {
    this.lane = lane;
    this.receiver = receiver;
  }

  open(bytes: Uint8Array, start: number, end: number): void {
    this.lane.open(bytes, start, end);
  }

  useProgram(program: AvroProgram): void {
    this.lane.useProgram(program);
  }

  forgetFields(): void {
    this.lane.forgetFields();
  }

  knowField(prefix: string, name: Uint8Array): UnknownFieldCount {
    return this.lane.knowField(prefix, name);
  }

  takeLines(start: number, recordNumber: number): number {
    const room = this.room(recordNumber);
    return room === 0 ? 0 : this.took(recordNumber, this.lane.takeLines(start, room, this.receiver.nextStageRow(), recordNumber));
  }

  takeAvro(start: number, count: number, recordNumber: number): number {
    const room = Math.min(count, this.room(recordNumber));
    return room === 0 ? 0 : this.took(recordNumber, this.lane.takeAvro(start, room, this.receiver.nextStageRow(), recordNumber));
  }

  takeObject(start: number, recordNumber: number): boolean {
    if (this.room(recordNumber) === 0) return false;
    return this.took(recordNumber, this.lane.takeObject(start, this.receiver.nextStageRow(), recordNumber)) === 1;
  }

  takeAvroRecord(start: number, recordNumber: number): boolean {
    if (this.room(recordNumber) === 0) return false;
    return this.took(recordNumber, this.lane.takeAvroRecord(start, this.receiver.nextStageRow(), recordNumber)) === 1;
  }

  get behind(): number {
    return this.lane.behind;
  }

  private room(recordNumber: number): number {
    if (this.resting === 0) return this.receiver.room(recordNumber);
    this.resting--;
    return 0;
  }

  private took(recordNumber: number, taken: number): number {
    if (taken === 0) {
      this.resting = this.rest;
      this.rest = Math.min(LONGEST_REST, this.rest * 2);
    } else {
      this.rest = 1;
      this.receiver.took(recordNumber, taken);
    }
    return taken;
  }
}

/** Records that are decoded before the lane is asked again, where it never takes one. */
const LONGEST_REST = 256;

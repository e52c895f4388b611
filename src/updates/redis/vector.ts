import { parsePlace, placeText } from "./place.ts";
import type { RedisPlace } from "./place.ts";
import type { StreamCursor } from "../updates.ts";

/** A place in each of several streams. */
export interface RedisVector {
  readonly places: readonly RedisPlace[];
  /** The stream that the last entry came from; null for a place that no entry led to, and where there is one stream only. */
  readonly moved: number | null;
}

/** Compares places of one stream, as the port compares cursors. */
export type ComparePlaces = (stream: number, a: RedisPlace, b: RedisPlace) => number | null;

/** The vector as text: places joined by tildes, the moved one with an asterisk. */
export function vectorText({ places, moved }: RedisVector): StreamCursor {
  return places.map((place, index) => `${placeText(place)}${index === moved ? "*" : ""}`).join("~");
}

/** Reads a vector of so many streams; null when the text is none. */
export function parseVector(text: StreamCursor, streams: number): RedisVector | null {
  const parts = text.split("~");
  if (parts.length !== streams) return null;
  const places: RedisPlace[] = [];
  for (const part of parts) {
    const place = parsePlace(part.endsWith("*") ? part.slice(0, -1) : part);
    if (place === null) return null;
    places.push(place);
  }
  const moved = parts.findIndex((part) => part.endsWith("*"));
  return { places, moved: moved < 0 ? null : moved };
}

/** The vector after an entry of one of its streams. */
export function moveTo({ places }: RedisVector, stream: number, place: RedisPlace): RedisVector {
  return {
    places: places.map((at, index) => (index === stream ? place : at)),
    moved: places.length > 1 ? stream : null,
  };
}

/** One vector is before another when it is so, or equal, in every stream. */
export function compareVectors(a: RedisVector, b: RedisVector, compare: ComparePlaces): number | null {
  let [least, most] = [0, 0];
  for (const [stream, place] of a.places.entries()) {
    const other = b.places[stream];
    const order = other === undefined ? null : compare(stream, place, other);
    if (order === null) return null;
    least = Math.min(least, order);
    most = Math.max(most, order);
  }
  return least < 0 && most > 0 ? NaN : least + most;
}

/** The vector that includes another and the entry that led to a third; null when that entry is included already, or cannot be told. */
export function joinVectors(at: RedisVector, entry: RedisVector, compare: ComparePlaces): RedisVector | null {
  const stream = entry.moved ?? 0;
  const [mine, its] = [at.places[stream], entry.places[stream]];
  if (mine === undefined || its === undefined) return null;
  const order = compare(stream, its, mine);
  if (order !== null && order <= 0) return null;
  const places = entry.places.map((place, index) => {
    const other = at.places[index];
    return other !== undefined && (compare(index, other, place) ?? -1) > 0 ? other : place;
  });
  return { places, moved: entry.moved };
}

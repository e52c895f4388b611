/** Days, clocks and their texts in the proleptic Gregorian calendar; integers only, no clock of this machine. */

/** An instant or a local date and time: whole seconds since 1970 and the digits of the fraction ("" when zero). */
export interface Instant {
  readonly seconds: number;
  readonly fraction: string;
}

/** Seconds of a day; leap seconds do not exist here, as in every database we read. */
export const DAY_SECONDS = 86_400;

/** Days since 1970-01-01 of a calendar day; null when there is no such day. */
export function daysOf(year: number, month: number, day: number): number | null {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** `2024-05-17`; years outside 0..9999 with a sign and six digits, as ISO 8601 has it. */
export function dateText(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${yearText(year)}-${two(month)}-${two(day)}`;
}

/** `23:59:59.999999` of the seconds of a day; `24:00:00` is allowed, as databases do. */
export function clockText(seconds: number, fraction: string): string {
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const text = `${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
  return fraction === "" ? text : `${text}.${fraction}`;
}

/** `2024-05-17T10:00:00.123456Z`. */
export function instantText(instant: Instant): string {
  const days = Math.floor(instant.seconds / DAY_SECONDS);
  return `${dateText(days)}T${clockText(instant.seconds - days * DAY_SECONDS, instant.fraction)}Z`;
}

/** Seconds of the day; null when the clock cannot show it (24:00:00 it can). */
export function secondsOf(hours: number, minutes: number, seconds: number): number | null {
  if (hours > 24 || minutes > 59 || seconds > 59) return null;
  const total = hours * 3_600 + minutes * 60 + seconds;
  return total > DAY_SECONDS ? null : total;
}

/** Fraction digits without trailing zeros. */
export function trimFraction(fraction: string): string {
  return fraction.endsWith("0") ? fraction.replace(/0+$/, "") : fraction;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9_999) return String(year).padStart(4, "0");
  return `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

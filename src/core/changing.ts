/**
 * How a part shows others what changes in it: fields that only it writes. A getter would read as well, but an object that has one is a
 * dictionary to the engine: each look at it, at its methods too, is a look-up and a call that is never compiled into the caller. What is
 * asked for each row has fields therefore.
 *
 * @module
 */

/** As its owner sees it: fields that are `readonly` for others may be written. */
export type Changing<T> = { -readonly [Name in keyof T]: T[Name] };

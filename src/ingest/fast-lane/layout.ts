/**
 * What the kernel and those who fill its memory agree on: offsets and numbers. Constants alone, because this file is
 * compiled twice: as TypeScript, and into the kernel.
 */

/** How a field is read: the numbers of `Reader` (field-plan.ts). */
export const READ_ID = 0;
export const READ_TEXT = 1;
export const READ_HOST = 2;
export const READ_ENUM = 3;
export const READ_LETTERS = 4;
export const READ_MONEY = 5;
export const READ_INTEGER = 6;
export const READ_RATE = 7;
export const READ_TIMESTAMP = 8;
export const READ_DATE = 9;
export const READ_BOOLEAN = 10;

/** A field of the contract: offsets in bytes. The last four hold the value of the record at hand. */
export const FIELD_READER = 0;
export const FIELD_REQUIRED = 4;
export const FIELD_PLAIN_LENGTH = 8;
/** Enum: a list of texts. */
export const FIELD_VALUES = 12;
export const FIELD_LETTERS = 16;
export const FIELD_COLUMN = 20;
export const FIELD_IS_TEXT = 24;
export const FIELD_MINIMUM = 32;
export const FIELD_MAXIMUM = 40;
export const FIELD_STATE = 48;
export const FIELD_START = 52;
export const FIELD_END = 56;
export const FIELD_NUMBER = 64;
export const FIELD_BYTES = 80;

/** States of a field; 0: it was not seen yet. */
export const PRESENT = 1;
export const NULL = 2;

/** A column of the segment: offsets in bytes. */
export const COLUMN_DATA = 0;
export const COLUMN_CAPACITY = 4;
/** Bytes used; of a column of bits, bits. */
export const COLUMN_POSITION = 8;
/** One bit a row. */
export const COLUMN_PRESENCE = 12;
export const COLUMN_NULLS = 16;
/** Of a column of texts, while the same ones come again and again: its data are indices of two bytes into this. */
export const COLUMN_DICTIONARY = 20;
export const COLUMN_BYTES = 24;

/** The texts of a column, each once, in the order in which they came: offsets in bytes. */
export const DICTIONARY_COUNT = 0;
/** Where they stand, as the file holds them: a length of four bytes, then the text. */
export const DICTIONARY_DATA = 4;
export const DICTIONARY_CAPACITY = 8;
export const DICTIONARY_POSITION = 12;
/** A table to find them by hash: where, and how many, a power of two. */
export const DICTIONARY_SLOTS = 16;
export const DICTIONARY_SLOT_COUNT = 20;
export const DICTIONARY_BYTES = 24;
/** Its hash, where its text stands (plus one; 0: the slot is free), its index. */
export const SLOT_HASH = 0;
export const SLOT_TEXT = 4;
export const SLOT_INDEX = 8;
export const SLOT_BYTES = 12;
/** From so many texts on, a column leaves its dictionary where each of them came less than eight times. */
export const DICTIONARY_TRIAL = 4_096;

/** The keys of one JSON object: the first that is expected, the stamp of the record that held it last, then its entries. */
export const NODE_FIRST = 0;
export const NODE_STAMP = 4;
export const NODE_COUNT = 8;
export const NODE_ENTRIES = 12;
/** One key: its name in quotes, and the field or the object behind it; with neither (0), the contract does not know it. */
export const ENTRY_NAME = 0;
export const ENTRY_LENGTH = 4;
export const ENTRY_FIELD = 8;
export const ENTRY_CHILD = 12;
/** The key that followed the last time. */
export const ENTRY_FOLLOWER = 16;
/** Of an unknown key: records that held it, and the stamp of the last one. */
export const ENTRY_RECORDS = 20;
export const ENTRY_STAMP = 24;
export const ENTRY_BYTES = 28;
/** Unknown keys of one object that are known by sight. */
export const MAX_UNKNOWN_KEYS = 64;

/** A list: how many, then of each its address and its length. */
export const LIST_ITEMS = 4;
export const ITEM_BYTES = 8;

/** What the kernel is told once: a word each, in this order. Addresses are 0 where there is nothing. */
export const SETUP_FIELDS = 0;
export const SETUP_FIELD_COUNT = 1;
export const SETUP_ROOT_NODE = 2;
export const SETUP_NULL_SPELLINGS = 3;
export const SETUP_EMPTY_IS_NULL = 4;
export const SETUP_LONGEST_NULL = 5;
export const SETUP_ID_FIELD = 6;
export const SETUP_ID_PREFIX = 7;
export const SETUP_ID_PREFIX_LENGTH = 8;
export const SETUP_NATURAL_PREFIX = 9;
export const SETUP_NATURAL_PREFIX_LENGTH = 10;
/** Addresses of fields: how many, then each. */
export const SETUP_NATURAL_FIELDS = 11;
/** How many, then of each its address and its tag, texts first. */
export const SETUP_CONTENT_FIELDS = 12;
export const SETUP_USER_FIELD = 13;
export const SETUP_AGENT_FIELD = 14;
export const SETUP_AGENT_TAG = 15;
export const SETUP_TIME_FIELD = 16;
export const SETUP_CURRENCY_FIELD = 17;
/** Three letters, the first in the lowest byte. */
export const SETUP_CURRENCY = 18;
export const SETUP_ASSUMES_UTC = 19;
/** Columns besides those of fields. */
export const SETUP_EVENT_KEY = 20;
export const SETUP_KEY_HASH = 21;
export const SETUP_CONTENT_HASH = 22;
export const SETUP_USER_HASH = 23;
export const SETUP_REPORT_DATE = 24;
export const SETUP_BOT = 25;
export const SETUP_STAGE_ROW = 26;
export const SETUP_POSITION = 27;
/** Whether a null spelling could be a number's text. */
export const SETUP_NUMBERS_MAY_BE_NULL = 28;
export const SETUP_WORDS = 29;

/** A longer text is not plain: bounds what is hashed at once. */
export const MAX_PLAIN_BYTES = 4_096;
/** Rows that a segment of the lane holds: few enough that its columns stay in the processor's cache. */
export const LANE_ROWS = 65_536;
/** Bytes behind the input that the kernel may look at: zeros. */
export const PADDING = 64;

/** Avro: what stands in a record, the numbers of `Op` (encodings/avro/program.ts) that the kernel knows. */
export const OP_END = 0;
export const OP_SKIP_FIXED = 1;
export const OP_SKIP_LONG = 2;
export const OP_SKIP_BYTES = 3;
export const OP_SKIP_ENUM = 4;
export const OP_JUMP = 8;
export const OP_UNION = 9;
export const OP_NULL = 12;
export const OP_BOOLEAN = 13;
export const OP_LONG = 14;
export const OP_DOUBLE = 16;
export const OP_TEXT = 17;
export const OP_ENUM = 21;
export const OP_TIMESTAMP = 22;

// A file of the spool is a sequence of records. A record is a header and the bytes of some rows:
//
//   rows (4 bytes) | length (4 bytes) | checksum of the other parts (4 bytes) | bytes
//
// A process that is killed while it appends leaves a part of a record at the end.
import { crc32 } from 'node:zlib'

const HEADER_BYTES = 12
const CHECKSUM_OFFSET = 8

/** Some rows and their bytes. */
export interface SpoolRecord {
  rows: number
  bytes: Uint8Array
}

/** The header of a record. */
export function encodeHeader({ rows, bytes }: SpoolRecord): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(rows, 0)
  header.writeUInt32LE(bytes.length, 4)
  header.writeUInt32LE(checksumOf(header, bytes), CHECKSUM_OFFSET)
  return header
}

/** The records of a file, up to the first one that is not complete or has other bytes than were written. */
export function decodeRecords(file: Buffer): { records: SpoolRecord[]; unreadableBytes: number } {
  const records: SpoolRecord[] = []
  let offset = 0
  while (offset + HEADER_BYTES <= file.length) {
    const header = file.subarray(offset, offset + HEADER_BYTES)
    const end = offset + HEADER_BYTES + header.readUInt32LE(4)
    const bytes = file.subarray(offset + HEADER_BYTES, end)
    if (end > file.length || header.readUInt32LE(CHECKSUM_OFFSET) !== checksumOf(header, bytes)) break
    records.push({ rows: header.readUInt32LE(0), bytes })
    offset = end
  }
  return { records, unreadableBytes: file.length - offset }
}

function checksumOf(header: Buffer, bytes: Uint8Array): number {
  return crc32(bytes, crc32(header.subarray(0, CHECKSUM_OFFSET)))
}

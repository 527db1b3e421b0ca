// The names of simulated devices. Device tokens of APNs are hexadecimal, so the name that requests a fault is written
// as the hexadecimal of its text, filled with blanks to the 32 bytes of a token.

const TOKEN_BYTES = 32

/** The device token of the simulated device with this name. */
export function makeDeviceToken(name: string): string {
  return Buffer.from(name.padEnd(TOKEN_BYTES)).toString('hex')
}

/** The name of a simulated device; for a token that is made of no name, the token itself. */
export function readDeviceName(token: string): string {
  const name = Buffer.from(token, 'hex').toString('latin1').trimEnd()
  return /^[\x21-\x7e]+$/.test(name) ? name : token
}

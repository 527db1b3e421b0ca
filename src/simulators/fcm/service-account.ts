import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'

const generate = promisify(generateKeyPair)

/** A service account of the simulated project: the key file for the client, and the public key for the simulator. */
export interface SimulatedServiceAccount {
  /** The content of the key file, in the format of the Google Cloud console. */
  json: string
  clientEmail: string
  publicKeyPem: string
}

/** Makes a service account with a new key. */
export async function makeServiceAccount(project: string): Promise<SimulatedServiceAccount> {
  const { publicKey, privateKey } = await generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const clientEmail = `simulator@${project}.iam.gserviceaccount.com`
  const account = {
    type: 'service_account',
    project_id: project,
    private_key_id: 'simulated',
    private_key: privateKey,
    client_email: clientEmail,
    token_uri: 'https://oauth2.googleapis.com/token',
  }
  return { json: `${JSON.stringify(account, null, 2)}\n`, clientEmail, publicKeyPem: publicKey }
}

import { generateURI } from 'otplib';
import { renderSVG } from 'uqr';
import type { TwoFactorSecretKey } from '../../generated/types.ts';
import { bytesOf } from './totp.ts';

/**
 * A secret in the forms that accounts-js gave. There, four of them were addresses at a service that draws QR codes, and
 * whoever opened one sent the secret to it: here the image is in the address itself, or there is none.
 */
export function toSecretKey(
  secret: string,
  { appName, account }: { appName: string; account: string },
): Required<TwoFactorSecretKey> {
  const url = generateURI({ issuer: appName, label: account, secret });
  const svg = renderSVG(url, { ecc: 'M', border: 4, pixelSize: 4 });
  return {
    ascii: null,
    base32: secret,
    hex: Buffer.from(bytesOf(secret)).toString('hex'),
    qr_code_ascii: null,
    qr_code_hex: null,
    qr_code_base32: null,
    google_auth_qr: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`,
    otpauth_url: url,
  };
}

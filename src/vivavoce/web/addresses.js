/**
 * Where a server is to be asked for what. Pure.
 */

import {say} from './words.js';

/** @typedef {{socket: string, calls: string, origin: string}} Addresses */

/**
 * @param {string} server its address as people write it, perhaps with `/v1`; a `?token=` in it is passed on
 * @param {{model?: string, base?: string}} [options] `base`: what a relative address is relative to
 * @returns {Addresses}
 * @throws {TypeError} for what is no address of a server
 */
export function addressesOf(server, {model = '', base} = {}) {
  const url = new URL(server, base);
  if (/^wss?:$/.test(url.protocol)) url.href = url.href.replace(/^ws/, 'http');
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(say('Expected the http: or https: address of a server, got {0}', server));
  const root = url.pathname.replace(/\/(v1(\/realtime)?)?\/?$/, '');
  const query = new URLSearchParams();
  if (model) query.set('model', model);
  const token = url.searchParams.get('token');
  if (token) query.set('token', token);
  const asked = query.size ? `?${query}` : '';
  return {
    socket: `${url.origin.replace(/^http/, 'ws')}${root}/v1/realtime${asked}`,
    calls: `${url.origin}${root}/v1/realtime/calls${asked}`,
    origin: url.origin,
  };
}

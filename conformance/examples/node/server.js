#!/usr/bin/env node
// A chat server with a wire of its own (wire.yaml), written from spec/ alone. Node's standard library, all in memory.
'use strict'

const { isUtf8 } = require('node:buffer')
const { randomBytes, scrypt, timingSafeEqual } = require('node:crypto')
const { createServer } = require('node:net')
const { parseArgs, promisify } = require('node:util')

const DEFAULTS = {
  port: 6262,
  'scrypt-cost': 16384, // a power of two; tests take a small one, which protects nobody
  'token-lifetime-ms': 3600000,
  'mailbox-messages': 1000,
  'idle-timeout-ms': 3600000
}
const options = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: 'string' }]))
const given = parseArgs({ options }).values
const option = (name) => Number(given[name] ?? DEFAULTS[name])

const LINE_BYTES = 65536
const TEXT_BYTES = 4096
const PAGE = { items: 100, bytes: 65000 }
const UNSENT = { pause: 262144, close: 1048576 } // bytes
const DISCARD = { bytes: 65536, ms: 1000 }

// What an error says: its status, and words for people.
class Refused extends Error {}

const check = (holds, error) => {
  if (!holds) throw new Refused(error)
}

// JavaScript counts and compares halves of characters. The protocol counts characters, and compares code points.
const characters = (text) => [...text].length
const byCodePoint = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))

// ── accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────

const accounts = new Map() // by name; null for one that was deleted, whose name is never given again
const accountOfToken = new Map()

class Account {
  constructor (name, salt, hashed) {
    Object.assign(this, { name, salt, hashed, waiting: [], token: null, expires: 0, connection: null })
  }
  newToken () {
    accountOfToken.delete(this.token)
    this.token = randomBytes(16).toString('hex')
    this.expires = performance.now() + option('token-lifetime-ms')
    accountOfToken.set(this.token, this)
  }
  online () {
    return this.connection !== null && performance.now() < this.expires
  }
  seconds () {
    return Math.ceil((this.expires - performance.now()) / 1000)
  }
}

const scrypted = promisify(scrypt)
const hash = (password, salt) => scrypted(password, salt, 32, { N: option('scrypt-cost') })
const nobody = { salt: randomBytes(16), hashed: randomBytes(32) } // stands in for who is missing: both take as long
const opens = async (password, account) =>
  timingSafeEqual(await hash(password, (account ?? nobody).salt), (account ?? nobody).hashed)

// ── operations ────────────────────────────────────────────────────────────────────────────────────────────────────

// Each takes the connection and what was said, and returns its answer or throws Refused. While one waits for a hash,
// those of other connections go on: what was true before need not be true afterwards.
const operations = {
  PING (_, { number }) {
    check(Number.isSafeInteger(number), '400 malformed') // JavaScript rounds larger ones
    return { number }
  },
  async JOIN (_, { name, password }) {
    check(characters(name) <= 50 && /^[^\p{White_Space}\p{Cc}|*?]+$/u.test(name), '422 name')
    check(password !== '' && characters(password) <= 50, '422 password')
    const salt = randomBytes(16)
    const hashed = await hash(password, salt)
    check(!accounts.has(name), '409 this name is taken')
    accounts.set(name, new Account(name, salt, hashed))
    return {}
  },
  async LOGIN (connection, { name, password }) {
    const account = accounts.get(name)
    const right = await opens(password, account)
    check(account && right && accounts.get(name) === account, '403 no such account, or another password')
    account.newToken()
    connection.bind(account)
    return { token: account.token, seconds: account.seconds(), waiting: account.waiting.length }
  },
  RESUME (connection, { token }) {
    const account = accountOfToken.get(token)
    check(account, '498 no such token')
    check(performance.now() < account.expires, '410 this token is too old')
    connection.bind(account)
    return { name: account.name, seconds: account.seconds() }
  },
  LOGOUT (connection) {
    accountOfToken.delete(connection.account.token)
    connection.unbind()
    return {}
  },
  WHO (_, { like }) {
    check(characters(like) <= 50, '422 like')
    const names = [...accounts.keys()].filter((name) => accounts.get(name) && name.includes(like))
    return { names: names.sort(byCodePoint).slice(0, PAGE.items) }
  },
  SEND (connection, { to, text }) {
    check(Buffer.byteLength(text) <= TEXT_BYTES, '413 this text is too long')
    const recipient = accounts.get(to)
    check(recipient, '404 nobody has this name')
    const message = { from: connection.account.name, text, at: Date.now() }
    const delivered = recipient.online() && recipient.connection.push(message)
    check(delivered || recipient.waiting.length < option('mailbox-messages'), '429 this mailbox is full')
    if (!delivered) recipient.waiting.push(message)
    return { delivered }
  },
  FETCH ({ account: { waiting } }) {
    let [count, bytes] = [0, 0]
    for (const message of waiting.slice(0, PAGE.items)) {
      bytes += Buffer.byteLength(JSON.stringify(message)) + 1
      if (count > 0 && bytes > PAGE.bytes) break
      count++
    }
    return { messages: waiting.splice(0, count), more: waiting.length > 0 }
  },
  async LEAVE (connection, { password }) {
    const account = connection.account
    const right = await opens(password, account)
    check(connection.session() === account, '401 log in first')
    check(right, '403 another password')
    operations.LOGOUT(connection)
    accounts.set(account.name, null)
    return { messages: account.waiting }
  }
}

// Of each verb: the session that it takes (one, none, or any), and its texts.
const VERBS = new Map([
  ['PING', ['any']],
  ['JOIN', ['any', 'name', 'password']],
  ['LOGIN', ['none', 'name', 'password']],
  ['RESUME', ['none', 'token']],
  ['LOGOUT', ['one']],
  ['WHO', ['any', 'like']],
  ['SEND', ['one', 'to', 'text']],
  ['FETCH', ['one']],
  ['LEAVE', ['one', 'password']]
])

async function answer (connection, line) {
  const [verb] = line.toString().split(' ', 1)
  check(VERBS.has(verb), '405 no such verb')
  const [session, ...texts] = VERBS.get(verb)
  const said = isUtf8(line) ? parsed(line.toString().slice(verb.length)) : null
  check(said !== null && typeof said === 'object', '400 malformed')
  // "\ud800" is JSON, and no text.
  check(texts.every((name) => typeof said[name] === 'string' && !/\p{Surrogate}/u.test(said[name])), '400 malformed')
  check(session !== 'one' || connection.session(), '401 log in first')
  check(session !== 'none' || !connection.session(), '409 this connection is logged in')
  return '200 ' + JSON.stringify(await operations[verb](connection, said))
}

function parsed (text) {
  try { return JSON.parse(text) } catch { return null }
}

function refusal (error) {
  if (error instanceof Refused) return error.message
  throw error
}

// ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────

class Connection {
  constructor (socket) {
    const idle = setTimeout(() => socket.destroy(), option('idle-timeout-ms'))
    Object.assign(this, { socket, idle, account: null, wake: () => {} })
    socket.on('error', () => {}) // `close` follows
    socket.on('drain', () => this.wake())
    socket.on('close', () => this.gone())
  }
  session () {
    if (this.account && !this.account.online()) this.unbind()
    return this.account
  }
  bind (account) {
    account.connection?.write('! {"notice":"you logged in elsewhere"}')
    account.connection?.unbind()
    this.account = account
    account.connection = this
  }
  unbind () {
    if (this.account) this.account.connection = null
    this.account = null
  }
  // Whether it could be sent; else it waits.
  push (message) {
    if (this.socket.writableLength > UNSENT.close) this.socket.destroy()
    return this.write('! ' + JSON.stringify(message))
  }
  write (line) {
    if (this.socket.writable) this.socket.write(line + '\n')
    return this.socket.writable
  }
  gone () {
    clearTimeout(this.idle)
    this.unbind()
    this.wake()
  }
  pieces () {
    return this.socket.iterator({ destroyOnReturn: false }) // reads no faster than it is asked to
  }
  async serve () {
    let [parts, size] = [[], 0] // of a line whose end has not come yet
    for await (let piece of this.pieces()) {
      this.idle.refresh()
      for (let end; (end = piece.indexOf('\n')) >= 0; piece = piece.subarray(end + 1)) {
        if (size + end >= LINE_BYTES) return this.refuse(piece.length)
        const line = Buffer.concat([...parts, piece.subarray(0, end)]);
        [parts, size] = [[], 0]
        this.write(await answer(this, line).catch(refusal))
        while (this.socket.writableLength > UNSENT.pause) await new Promise((resolve) => { this.wake = resolve })
      }
      parts.push(piece)
      size += piece.length
      if (size >= LINE_BYTES) return this.refuse(0)
    }
    this.unbind()
    this.socket.end()
  }
  // Nobody can tell where the next line begins. It reads on for a while, or closing would take the answer along.
  async refuse (discarded) {
    this.unbind()
    this.socket.end('431 this line is too long\n')
    setTimeout(() => this.socket.destroy(), DISCARD.ms)
    for await (const piece of this.pieces()) if ((discarded += piece.length) > DISCARD.bytes) break
    this.socket.destroy()
  }
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  new Connection(socket).serve().catch((error) => {
    if (!socket.destroyed) console.error(error)
    socket.destroy()
  })
})
server.listen(option('port'), '127.0.0.1', () => console.log(`listening on port ${server.address().port}`))

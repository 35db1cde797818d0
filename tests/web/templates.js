/** What a module would show to a reader without having it said in the page's language: read out of its source. */

/** Attributes whose values are shown or read out. */
const SHOWN = new Set(['alt', 'aria-description', 'aria-label', 'aria-roledescription', 'aria-valuetext', 'label', 'placeholder', 'title']);

/** Where a slash begins a regular expression: after these, or at the beginning. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+>]|\breturn)$/;

/** What templates are for. */
const TAGS = new Set(['html', 'svg', 'css']);

const WORD = /\p{L}{2,}/u;

/** Begins like a sentence or a label. */
const LABEL = /^\P{L}*\p{Lu}\p{Ll}/u;

/**
 * @typedef {{kind: 'string', text: string} | {kind: 'template', tag: string, parts: string[], holes: Token[][]}} Literal
 * @typedef {{kind: 'code', text: string} | Literal} Token
 */

/**
 * @param {string} source of a module
 * @returns {Token[]} without comments and space
 */
export function tokens(source) {
  return new Reader(source).tokens();
}

class Reader {
  #at = 0;

  /** @param {string} source */
  constructor(source) {
    this.source = source;
  }

  /** @returns {Token[]} up to the brace that closes what was open, or to the end */
  tokens() {
    /** @type {Token[]} */
    const found = [];
    let code = '';
    for (let depth = 0; this.#at < this.source.length; ) {
      const rest = this.source.slice(this.#at, this.#at + 2);
      if (rest === '//' || rest === '/*') {
        this.#skip(rest === '//' ? '\n' : '*/');
        continue;
      }
      if (rest[0] === '}' && depth-- === 0) break;
      if (rest[0] === '{') depth++;
      if (rest[0] === "'" || rest[0] === '"') {
        found.push({kind: 'string', text: this.#string(rest[0])});
        code = 'x';
      } else if (rest[0] === '`') {
        const last = found.at(-1);
        const tag = last?.kind === 'code' && TAGS.has(last.text) ? last.text : '';
        found.push({kind: 'template', ...this.#template(), tag});
        code = 'x';
      } else if (rest[0] === '/' && BEFORE_REGEXP.test(code.trimEnd())) {
        this.#match(/\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\[])+\/\w*/y);
        code = 'x';
      } else {
        const text = this.#match(/[\w$#]+|\s+|[=!]==?|=>|./suy);
        code = (code + text).slice(-12);
        if (text.trim()) found.push({kind: 'code', text});
      }
    }
    return found;
  }

  /** @returns {{parts: string[], holes: Token[][]}} */
  #template() {
    /** @type {string[]} */
    const parts = [];
    /** @type {Token[][]} */
    const holes = [];
    this.#at++;
    for (;;) {
      parts.push(this.#match(/(?:\\.|\$(?!\{)|[^\\`$])*/suy));
      if (this.source[this.#at] === '`') break;
      this.#at += 2;
      holes.push(this.tokens());
      this.#at++;
    }
    this.#at++;
    return {parts, holes};
  }

  /** @param {string} quote */
  #string(quote) {
    const text = this.#match(quote === "'" ? /'(?:\\.|[^'\\])*'/suy : /"(?:\\.|[^"\\])*"/suy);
    return text.slice(1, -1);
  }

  /** @param {string} end */
  #skip(end) {
    const found = this.source.indexOf(end, this.#at);
    this.#at = found < 0 ? this.source.length : found + end.length;
  }

  /** @param {RegExp} pattern sticky */
  #match(pattern) {
    pattern.lastIndex = this.#at;
    const [text] = /** @type {RegExpExecArray} */ (pattern.exec(this.source));
    this.#at += text.length;
    return text;
  }
}

/**
 * @param {string} source of a module
 * @returns {string[]} words that it would show as they stand there
 */
export function unsaid(source) {
  const all = tokens(source);
  return [...new Set([...inTemplates(all), ...labels(all)])];
}

/**
 * @param {Token[]} list
 * @returns {string[]} the words of `html` templates, and those that expressions in them come to
 */
function inTemplates(list) {
  return list.flatMap((token) => {
    if (token.kind !== 'template') return [];
    const nested = token.holes.flatMap(inTemplates);
    if (token.tag !== 'html') return nested;
    const {texts, places} = shownOf(token.parts);
    const values = token.holes.flatMap((hole, index) => (places.has(index) ? results(hole) : []));
    return [...texts.filter((text) => WORD.test(text)), ...values, ...nested];
  });
}

/**
 * @param {string[]} parts of a template
 * @returns {{texts: string[], places: Set<number>}} what is shown of it, and the holes whose values are
 */
function shownOf(parts) {
  const markup = parts.map((part, index) => (index < parts.length - 1 ? `${part}\u{1}${index}\u{2}` : part)).join('');
  /** @type {string[]} */
  const texts = [];
  const shown = markup.replace(/<!--.*?-->/gsu, '').replace(/<[^>]*>/gsu, (tag) => {
    for (const [, name, quoted, bare] of tag.matchAll(/([\w:@.?-]+)=(?:"([^"]*)"|([^\s>]+))/gu)) {
      if (SHOWN.has(name)) texts.push(quoted ?? bare);
    }
    return '\n';
  });
  texts.push(...shown.split('\n'));
  const places = new Set([...texts.join('').matchAll(/\u{1}(\d+)\u{2}/gu)].map(([, index]) => Number(index)));
  return {texts: texts.map((text) => text.replace(/\u{1}\d+\u{2}|&\w+;/gu, ' ').trim()), places};
}

/**
 * @param {Token[]} list an expression
 * @returns {string[]} words that it may come to; those that it gives to functions are among the labels
 */
function results(list) {
  return literals(list).flatMap(({token, open, compared}) => {
    if (compared || open.some((before) => before !== '')) return [];
    if (token.kind === 'string') return [token.text].filter((text) => WORD.test(text));
    return token.tag ? [] : [...token.parts.filter((text) => WORD.test(text)), ...token.holes.flatMap(results)];
  });
}

/**
 * @param {Token[]} list a module
 * @returns {string[]} what looks like a label or a sentence and is neither said nor in a table of the module
 */
function labels(list) {
  return literals(list).flatMap(({token, open, table}) => {
    if (table || open.includes('say')) return [];
    if (token.kind === 'template' && token.tag) return token.holes.flatMap(labels);
    return (token.kind === 'string' ? [token.text] : token.parts).filter((text) => LABEL.test(text));
  });
}

/**
 * @param {Token[]} list
 * @returns {{token: Literal, open: string[], table: boolean, compared: boolean}[]} its texts: within which brackets each
 *   stands, by what is before these (empty where they are for order only); whether in a table, `const NAMES = …`
 */
function literals(list) {
  /** @type {string[]} */
  const open = [];
  let table = false;
  const codes = list.map((token) => (token.kind === 'code' ? token.text : ''));
  return list.flatMap((token, index) => {
    const before = codes[index - 1] ?? '';
    if (token.kind === 'code') {
      if (!open.length) table = before === 'const' ? /^[A-Z_]+$/.test(token.text) : table && token.text !== ';';
      if (/[([{]/.test(token.text)) open.push(token.text !== '(' || /[\w)\]]$/.test(before) ? before || token.text : '');
      else if (/[)\]}]/.test(token.text)) open.pop();
      return [];
    }
    const compared = [before, codes[index + 1]].some((code) => /^[=!]==?$/.test(code));
    return [{token, open: [...open], table, compared}];
  });
}

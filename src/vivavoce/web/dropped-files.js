/**
 * Files that are dropped anywhere on the page, which the browser would else leave for them.
 */

/**
 * @param {HTMLElement} host has the attribute `dropping` while files are held over the page
 * @param {(files: File[]) => void} open
 * @param {AbortSignal} signal the end of it
 */
export function takeFiles(host, open, signal) {
  const dragged = (/** @type {DragEvent} */ event) => {
    const {dataTransfer, type} = event;
    const files = dataTransfer?.types.includes('Files') ?? false;
    host.toggleAttribute('dropping', files && type === 'dragover');
    if (!dataTransfer || !files || type === 'dragleave') return;
    event.preventDefault();
    if (type === 'drop') void filesOf(dataTransfer).then(open);
  };
  for (const type of /** @type {const} */ (['dragover', 'dragleave', 'drop'])) addEventListener(type, dragged, {signal});
}

/**
 * @param {DataTransfer} dropped
 * @returns {Promise<File[]>} with those of folders, but not of folders within
 */
async function filesOf(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()); // before they are gone
  const files = [...dropped.files];
  const folders = entries.flatMap((entry) => (entry?.isDirectory ? [/** @type {FileSystemDirectoryEntry} */ (entry)] : []));
  const within = await Promise.all(folders.map(filesIn));
  return [...files.filter((file) => !folders.some(({name}) => name === file.name)), ...within.flat()];
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<File[]>} none of what cannot be read
 */
async function filesIn(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (let some; !some || some.length; all.push(...some)) {
    some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve) => reader.readEntries(resolve, () => resolve([])));
  }
  const files = await Promise.all(all.map((entry) => (entry.isFile ? opened(/** @type {FileSystemFileEntry} */ (entry)) : null)));
  return files.filter((file) => file !== null);
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File | null>}
 */
function opened(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}

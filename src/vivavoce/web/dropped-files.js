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
    if (!files || type === 'dragleave') return;
    event.preventDefault();
    if (type === 'drop') open([...(dataTransfer?.files ?? [])]);
  };
  for (const type of /** @type {const} */ (['dragover', 'dragleave', 'drop'])) addEventListener(type, dragged, {signal});
}

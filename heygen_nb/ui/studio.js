// Keys of the drafts, a place for the focus when what had it is gone, a link that is
// copied and a folder that is opened. ipywidgets knows none of them: without this
// script all works by Tab and mouse, and links and folders are shown to be copied.
(() => {
  if (window.heygenNbKeys) return
  window.heygenNbKeys = true
  const buttons = {KeyC: 'create', KeyP: 'preview', KeyS: 'save', KeyN: 'new'}
  const steps = {ArrowDown: 1, ArrowUp: -1}
  const can = 'button, input, select, textarea, summary, [tabindex="0"]'
  const seen = e => e && e.isConnected && e.offsetParent && !e.disabled
  const first = (box, what) => [...box.querySelectorAll(what)].find(seen)

  function step(panel, by) {
    const list = first(panel, '.hg-left .hg-list select')
    const to = list && list.options[list.selectedIndex + by]
    if (!to) return
    for (const option of list.options) option.selected = option === to
    list.dispatchEvent(new Event('change', {bubbles: true}))
  }

  // The buttons of the drafts come after their fields: a key waits for them.
  const coming = panel => first(panel, '.hg-script') &&
    !first(panel, '.hg-act-preview, .hg-act-stop')

  function press(panel, name, tries = 100) {
    const button = first(panel, `.hg-act-${name}`)
    if (button) button.click()
    else if (tries && coming(panel)) setTimeout(press, 100, panel, name, tries - 1)
    else return false
    return true
  }

  document.addEventListener('keydown', event => {
    const panel = event.altKey && !event.ctrlKey && event.target.closest?.('.hg')
    if (!panel) return
    const help = event.code === 'Slash' && first(panel, '.hg-keys summary')
    const name = buttons[event.code]
    if (help) help.click()
    else if (steps[event.code]) step(panel, steps[event.code])
    else if (!name || !press(panel, name)) return
    event.preventDefault()
    event.stopPropagation()
  }, true)

  document.addEventListener('click', event => {
    const film = event.target.closest?.('.hg-film')
    const link = film && event.target.closest('.hg-act-link')
    if (link) {
      navigator.clipboard?.writeText(link.title).then(() => {
        link.classList.add('hg-copied')
        setTimeout(() => link.classList.remove('hg-copied'), 3000)
      }, () => {})  // not allowed here
    } else if (film && event.target.closest('.hg-act-folder')) {
      // where JupyterLab serves the film from, its file browser shows the folder
      const {origin, pathname} = new URL(first(film, 'video')?.src || location.href)
      const [, base, folder] = pathname.match(/^(.*?)\/files\/(.*)\/[^/]*$/) || []
      if (folder) window.open(`${origin}${base}/lab/tree/${folder}`, '_blank')
    }
  })

  let had = []  // what had the focus, the last one first, and all that it stood in
  document.addEventListener('focusin', event => {
    const boxes = []
    for (let e = event.target; e && e.closest('.hg'); e = e.parentElement) boxes.push(e)
    had = boxes.length ? [boxes, ...had.slice(0, 4)] : []
  })
  setInterval(() => {
    if (!had.length || document.activeElement !== document.body) return
    if (seen(had[0][0])) return  // somebody clicked beside it
    const before = had.map(boxes => boxes[0]).find(seen)
    const box = had[0].find(e => seen(e) && first(e, can))
    const next = before || (box && first(box, can))
    if (next) next.focus()
    else had = []
  }, 100)
})()

"""Layout and colours of all panels, in JupyterLab's own theme variables.

The second value of a variable is for front ends that lack JupyterLab's.
"""

CSS = """
.hg{--line:var(--jp-border-color2,#d5d5d9);--dim:var(--jp-ui-font-color2,#6b7280);
--text:var(--jp-ui-font-color1,#1f2328);--bg:var(--jp-layout-color1,#fff);
--panel:var(--jp-layout-color2,#f4f4f6);--brand:#5b5bd6;--on-brand:#fff;
--chip:color-mix(in srgb,var(--brand) 13%,transparent);
--ok:#1a7f37;--warn:#9a5b00;--bad:#cf222e;
max-width:1100px;color:var(--text);overflow:visible;container-type:inline-size;
width:100%;
font:13px/1.45 var(--jp-ui-font-family,system-ui)}
body[data-jp-theme-light=false] .hg{--brand:#9d9df7;--on-brand:#14141f;--ok:#56c26a;
--warn:#e3a34a;--bad:#f47067}
.hg *{box-sizing:border-box}
.hg .hg-off{display:none!important}
.hg .jupyter-widgets{margin:0;max-width:100%;overflow:visible}
.hg .widget-box{gap:6px}
.hg .widget-html-content{line-height:1.45;font-size:13px;color:var(--text)}
.hg .ok{color:var(--ok)}.hg .warn{color:var(--warn)}.hg .bad{color:var(--bad)}
.hg h3{margin:0;font-size:14px;font-weight:600}
.hg .hg-hint,.hg .hg-hint span{color:var(--dim);font-size:12px}

.hg .hg-app{border:1px solid var(--line);border-radius:10px;gap:0;background:var(--bg)}
.hg .hg-head{padding:9px 14px;gap:8px;align-items:center;flex-wrap:wrap;
background:color-mix(in srgb,var(--panel) 55%,var(--bg));
border-bottom:1px solid var(--line);border-radius:10px 10px 0 0}
.hg .hg-head b{font-size:15px;margin-right:10px}
.hg .hg-chip{display:inline-block;padding:2px 10px;border-radius:99px;
background:var(--chip);font-size:12px;margin-left:6px;white-space:nowrap}
.hg .hg-sandbox{color:var(--warn);margin-left:0}
.hg .hg-language{width:auto}
.hg .hg-language>label{position:absolute;clip-path:inset(50%)}
.hg .hg-language select{min-width:68px;padding:3px 9px!important;font-size:12px}

.hg .hg-tabs>.lm-TabBar,.hg .hg-tabs>.p-TabBar{border-bottom:1px solid var(--line)}
.hg .hg-tabs .lm-TabBar-content{border:0;padding:0 8px;min-height:0;flex-wrap:wrap}
.hg .hg-tabs .lm-TabBar-tab{border:0!important;background:none!important;
flex:0 0 auto!important;min-width:0!important;max-width:none!important;
width:auto;margin:0;padding:9px 13px;
line-height:1.4;height:auto;color:var(--dim);transform:none;box-shadow:none}
.hg .hg-tabs .lm-TabBar-tab::before{display:none!important}
.hg .hg-tabs .lm-TabBar-tab.lm-mod-current{color:var(--text);font-weight:600;
box-shadow:inset 0 -2px var(--brand)}
.hg .hg-tabs .widget-tab-contents{border:0!important;padding:14px!important;
background:none}
.hg .hg-page,.hg .hg-page>.hg{width:100%;max-width:none}

.hg .hg-columns{gap:14px;align-items:flex-start;flex-wrap:wrap}
.hg .hg-grow{flex:1 1 330px;min-width:0}
.hg .hg-side{flex:0 0 220px;min-width:0}.hg .hg-left{flex-basis:260px}
.hg .hg-card{border:1px solid var(--line);border-radius:8px;padding:12px;
margin-bottom:8px!important}
.hg .hg-buttons{gap:6px;flex-wrap:wrap;align-items:center}

.hg .hg-field{display:flex;flex-direction:column;align-items:stretch;width:100%;
height:auto}
.hg .hg-field>label{width:auto;text-align:left;font-size:12px;color:var(--dim);
height:auto;line-height:1.6;max-width:none;display:block}
.hg .hg-field input:not([type=checkbox]),.hg .hg-field textarea,
.hg .hg-field select,.hg .hg-language select{flex:none;width:100%;
border:1px solid var(--line)!important;border-radius:6px;padding:6px 9px;
background-color:var(--bg)!important;color:var(--text);font:inherit;height:auto;
line-height:1.45}
.hg .hg-field textarea{resize:vertical}
.hg .hg-field.hg-short>:is(input,select){width:150px}
.hg .hg-check>label{display:flex;justify-content:flex-start;gap:8px;
align-items:center;color:var(--text);font-size:13px}
.hg .hg-check input{flex:none;margin:0!important;accent-color:var(--brand)}
.hg>.jupyter-button,.hg .hg-card>.jupyter-button{align-self:flex-start}
.hg .hg-list select{height:auto;min-height:260px;padding:0;overflow-y:auto}
.hg .hg-list option{padding:8px 10px;white-space:pre-wrap;overflow:hidden;
border-bottom:1px solid var(--line);font-size:11.5px;color:var(--dim);
line-height:1.5}
.hg .hg-list option::first-line{font-size:13px;font-weight:600;color:var(--text)}
.hg .hg-list option:checked{background:var(--chip);
box-shadow:inset 3px 0 var(--brand)}

.hg .jupyter-button{width:auto;height:auto;padding:6px 13px;border-radius:6px;
border:1px solid var(--line);background:var(--panel);color:var(--text);
font:inherit;line-height:1.45;box-shadow:none}
.hg .hg-import{font-size:0!important}.hg .hg-import i{display:none}
.hg .hg-import::after{content:attr(title);font-size:13px}
.hg .jupyter-button:hover:enabled{border-color:var(--brand)}
.hg .jupyter-button.hg-primary{background:var(--brand);border-color:var(--brand);
color:var(--on-brand);font-weight:600}
.hg .jupyter-button:disabled{opacity:.55}
.hg :is(button,input,textarea,select,pre,.lm-TabBar-tab,a):focus-visible,
.hg .hg-video:focus-within{
outline:2px solid var(--brand)!important;outline-offset:1px}

.hg .hg-with-picker{gap:6px;align-items:flex-end;width:100%}
.hg .hg-with-picker>.hg-field{flex:1 1 auto;min-width:0}
.hg .hg-with-picker>.jupyter-button{flex:none}
.hg .hg-row-fields{gap:6px 10px;flex-wrap:wrap;align-items:flex-end}
.hg .hg-row-fields>.hg-field{flex:1 1 120px;width:auto;max-width:240px}
.hg .jupyter-button.hg-cast{border-style:dashed;background:none;padding:4px 10px;
max-width:100%;overflow:hidden;text-overflow:ellipsis}
.hg .hg-field.hg-seconds{flex-direction:row;align-items:center;width:auto;gap:6px}
.hg .hg-field.hg-seconds>input{width:56px}

.hg .hg-meta{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:12px;
color:var(--dim)}
.hg .hg-meta .hg-strong{color:var(--text);font-weight:600}
.hg .hg-bar{height:8px;border-radius:9px;background:var(--line);overflow:hidden;
margin:8px 0}
.hg .hg-bar i{display:block;height:100%;background:var(--brand);border-radius:9px}
.hg .hg-busy i{width:30%;animation:hg-busy 1.4s ease-in-out infinite alternate}
@keyframes hg-busy{from{margin-left:0}to{margin-left:70%}}
@media (prefers-reduced-motion:reduce){.hg .hg-busy i{animation:none}}

.hg .hg-log{width:100%}
.hg .hg-log .widget-html-content>pre{margin:0;height:220px;overflow:auto;
display:flex;flex-direction:column-reverse;padding:10px 12px;
border:1px solid var(--line);border-radius:8px;background:var(--panel);
color:var(--text);font:12px/1.65 var(--jp-code-font-family,monospace);
white-space:pre-wrap;overflow-wrap:anywhere}
.hg .hg-log .widget-html,.hg .hg-log .widget-html-content{width:100%}

.hg .hg-notice .widget-html-content>div,.hg .hg-question{padding:9px 12px;
border:1px solid var(--line);border-left:3px solid currentColor;border-radius:6px;
background:var(--panel)}
.hg .hg-notice{width:100%}.hg .hg-notice .widget-html-content{width:100%}
.hg .hg-notice [role=alert]{border-left-color:var(--bad)!important}
.hg .hg-question{border-left-color:var(--brand)}
.hg .hg-ask{white-space:pre-line}

.hg .hg-charts{display:flex;flex-wrap:wrap;gap:12px}
.hg .hg-charts .hg-card{flex:1 1 300px;max-width:520px}
.hg .hg-charts svg{width:100%;height:auto}
.hg .hg-figures{display:flex;flex-wrap:wrap;gap:6px 30px;padding:2px 0 8px}
.hg .hg-figures div{display:flex;flex-direction:column}
.hg .hg-figures b{font-size:20px}

.hg .hg-player{width:100%}
.hg .hg-screen .jp-OutputArea-output{padding:0}
.hg .hg-screen .jp-OutputPrompt,.hg .hg-screen .jp-OutputArea-prompt{display:none}
.hg .hg-video{display:block;max-width:100%;max-height:400px;background:#000}
.hg .hg-row{align-items:center;gap:10px;padding:6px 0;width:100%;
border-bottom:1px solid var(--line)}
.hg .hg-row .widget-html-content{display:flex;gap:12px;align-items:center}
.hg .hg-thumb{width:36px;height:56px;object-fit:cover;border-radius:5px;
background:var(--panel);display:block}
.hg .hg-filters{gap:6px 10px;flex-wrap:wrap;align-items:flex-end}
.hg .hg-filters>.hg-field{flex:1 1 120px;width:auto}
.hg .hg-audio{width:100%;max-width:340px}.hg .hg-audio audio{width:100%;height:36px}
.hg .hg-gallery{display:grid!important;gap:8px;width:100%;align-items:start;
grid-template-columns:repeat(auto-fill,minmax(88px,1fr))}
.hg .hg-gallery .jupyter-button.hg-tile{display:block;position:relative;width:100%;
padding:calc(133.3% + 5px) 8px 6px;overflow:hidden;
white-space:pre-line;text-align:left;line-height:1.4;
font-size:11px;color:var(--dim);background:var(--bg)}
.hg .hg-tile::first-line{font-size:12.5px;color:var(--text)}
.hg .hg-tile::before{content:"";position:absolute;inset:0 0 auto;aspect-ratio:3/4;
background:var(--panel) var(--picture,none) center/cover}
.hg .hg-wide .hg-gallery{grid-template-columns:repeat(auto-fill,minmax(130px,1fr))}
.hg .hg-wide .hg-gallery .hg-tile{padding-top:calc(56.25% + 5px)!important}
.hg .hg-wide .hg-tile::before{aspect-ratio:16/9}
.hg .hg-gallery .hg-tile.hg-chosen{border-color:var(--brand);
box-shadow:0 0 0 1px var(--brand)}

.hg .hg-entry{align-items:flex-end;gap:6px;width:100%}
.hg .hg-entry>.hg-field{flex:1 1 0;min-width:0}
.hg .hg-field .widget-colorpicker-input{display:flex;gap:6px;width:100%;
height:auto;flex:none}
.hg .hg-field .widget-colorpicker-input input[type=text]{flex:1 1 0;min-width:0}
.hg .hg-field .widget-colorpicker-input input[type=color]{flex:none;width:52px;
padding:3px 5px;height:auto;align-self:stretch;cursor:pointer}
.hg .hg-now{justify-content:space-between;flex-wrap:wrap}
.hg .hg-now .hg-thumb{width:72px;height:48px;flex:none}
.hg .hg-value{overflow-wrap:anywhere}
.hg .hg-placeholder{padding:1px 6px;border-radius:5px;background:var(--chip);
color:var(--text);font:12px var(--jp-code-font-family,monospace);user-select:all;
white-space:nowrap}
.hg .hg-table{width:100%}.hg .hg-table .widget-html-content{overflow-wrap:anywhere}
.hg .hg-filled{border-left:3px solid var(--brand);padding:2px 0 2px 10px}

@container (max-width:700px){
.hg .hg-left,.hg .hg-side{flex:1 1 100%}
.hg .hg-list select{min-height:0;height:120px}
.hg .hg-voices select{height:234px}
.hg .hg-phone{max-width:260px}}
"""

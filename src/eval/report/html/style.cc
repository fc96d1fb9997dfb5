// Colours after Okabe and Ito (2008), told apart by all common kinds of colour blindness:
// vermilion for violations, blue for safe content.
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

constexpr std::string_view kScreen = R"(
:root{color-scheme:light dark;--paper:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#5b6470;--line:#d9dde3;
--bad:#c84e00;--good:#0067a5;--third:#00805a;--warn:#8a6100;--warnback:#fff6df;--warnline:#e5b94f}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2127;--ink:#e8eaed;--soft:#a3abb6;
--line:#363c45;--bad:#f08a4b;--good:#6cb8ee;--third:#4ecb9f;--warn:#f2cf78;--warnback:#2b2414;--warnline:#7a6224}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,"Segoe UI",Roboto,"Liberation Sans","DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 22px 60px}
h1{font-size:27px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:19px;margin:38px 0 12px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:15px;margin:22px 0 6px}
p{margin:6px 0}
.lead{color:var(--soft);margin:0 0 18px}
.soft,figcaption,.key{color:var(--soft);font-size:13px}
code,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
font-size:12.5px;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(205px,1fr));gap:12px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:13px 15px 12px}
.card .name{font-size:13px;color:var(--soft);font-weight:600}
.card .value{font-size:31px;font-weight:650;line-height:1.15;font-variant-numeric:tabular-nums}
.card .value small{font-size:13px;font-weight:400;color:var(--soft);margin-left:6px}
.card .say{font-size:12.5px;color:var(--soft);margin-top:5px;line-height:1.35}
.bar{display:block;width:100%;height:9px;margin-top:5px}
.bar .track{fill:var(--line)}
.bar .fill-bad,.plot .fill-bad{fill:var(--bad)}.bar .fill-good,.plot .fill-good{fill:var(--good)}
.bar .fill-third,.plot .fill-third{fill:var(--third)}
.whisker{fill:none;stroke:var(--ink);stroke-width:1.4;vector-effect:non-scaling-stroke}
.notes{background:var(--warnback);border:1px solid var(--warnline);border-radius:10px;padding:10px 16px 12px;
margin:18px 0 0}
.notes h3{margin:2px 0 4px;color:var(--warn)}
.notes ul{margin:0;padding-left:20px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:22px 26px;align-items:start}
figure{margin:0;min-width:0}
figcaption{margin-top:4px;line-height:1.4}
figcaption b{color:var(--ink)}
.plot{display:block;width:100%;max-width:520px;height:auto;background:var(--card);border:1px solid var(--line);
border-radius:10px}
.plot text{font:11.5px system-ui,"Liberation Sans","DejaVu Sans",sans-serif;fill:var(--soft)}
.plot .axis{fill:var(--ink)}.plot .note{fill:var(--ink)}
.plot .grid{stroke:var(--line);stroke-width:1}
.plot .line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.plot .bad{stroke:var(--bad)}.plot .good{stroke:var(--good)}.plot .third{stroke:var(--third)}
.plot .guide{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4}
.plot .area{stroke:none;opacity:.13}
.plot .area.good{fill:var(--good)}.plot .area.bad{fill:var(--bad)}
.plot .mark{stroke:var(--paper);stroke-width:1.5}
.plot .cut{fill:none;stroke:var(--ink);stroke-width:1.2;stroke-dasharray:2 3}
.plot .hatch{fill:var(--good);opacity:.85}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{text-align:left;padding:5px 9px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:12.5px;vertical-align:bottom}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.b{width:19%;min-width:90px}
td.v{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--ink)}
td.v span{color:var(--soft);font-size:12px}
.scroll{overflow-x:auto}
.matrix{max-width:520px;table-layout:fixed}.matrix th.row{width:86px}.notes li::first-letter{text-transform:uppercase}
.matrix td,.matrix th{border:2px solid var(--paper);padding:9px 12px;text-align:center}
.matrix th{border-color:transparent}.matrix th.row{text-align:right;white-space:nowrap}
.matrix td b{display:block;font-size:21px;font-variant-numeric:tabular-nums}
.matrix td.right{background:color-mix(in srgb,var(--good) calc(12% + 30%*var(--s)),var(--card))}
.matrix td.wrong{background:color-mix(in srgb,var(--bad) calc(12% + 30%*var(--s)),var(--card))}
.matrix td.open{background:color-mix(in srgb,var(--soft) calc(8% + 22%*var(--s)),var(--card))}
.case{border:1px solid var(--line);border-left:4px solid var(--soft);border-radius:8px;padding:8px 12px 9px;
margin:8px 0;background:var(--card)}
.case.alarm{border-left-color:var(--bad)}.case.miss{border-left-color:var(--good)}
.case .head{font-size:12.5px;color:var(--soft);display:flex;flex-wrap:wrap;gap:2px 14px}
.case .head b{color:var(--ink)}
.case blockquote{margin:4px 0 0;padding:0;overflow-wrap:anywhere}
.tag{display:inline-block;border:1px solid var(--line);border-radius:20px;padding:0 8px;font-size:12px;
color:var(--soft)}
details{margin-top:10px}summary{cursor:pointer;font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);
border-radius:10px;padding:12px 14px;font-size:12.5px;line-height:1.45}
.swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin:0 5px 0 10px;vertical-align:-1px}
.swatch.bad{background:var(--bad)}.swatch.good{background:var(--good)}
)";

constexpr std::string_view kPrint = R"(
@page{size:A4;margin:14mm 13mm}
@media print{:root{color-scheme:light;--paper:#fff;--card:#f7f8fa;--ink:#111;--soft:#505862;--line:#cfd4db;
--bad:#c84e00;--good:#0067a5;--third:#00805a;--warn:#705000;--warnback:#fff8e6;--warnline:#d9ae45}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:11.5px}main{max-width:none;padding:0}h1{font-size:21px}h2{font-size:15px;margin-top:18px;
break-after:avoid}h3{break-after:avoid}
.cards{grid-template-columns:repeat(4,1fr);gap:8px}.card .value{font-size:22px}.card{padding:8px 10px}
.card .value small{display:block;margin:0;font-size:11px}
.pair{grid-template-columns:1fr 1fr;gap:12px}
figure,.card,.case,tr,.notes{break-inside:avoid}
table,td.v span,.soft,figcaption,.card .say,.card .name,.case .head,.tag,code{font-size:10.5px}th{font-size:10px}
td,th{padding-top:3px;padding-bottom:3px}.bar{height:7px}pre{font-size:9.5px;border:0;padding:0;background:none}
details::details-content{content-visibility:visible;display:block}summary{list-style:none}}
)";

}  // namespace

std::string StyleSheet() {
  return std::string(kScreen) + std::string(kPrint);
}

}  // namespace safeguard::eval

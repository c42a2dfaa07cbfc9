// How a join is marked, in the figures that show which of them a net has to compute: each
// kind has a color and a sign, so that the color is never alone.

charlm.joinMark = (kind, cx = 12, cy = 12) => {
  const { svg } = charlm
  return svg(`g.receptive-${kind}`, {},
    svg("circle", { cx, cy, r: 9 }),
    kind === "new" ? svg("path", { d: `M${cx - 4.5} ${cy}h9M${cx} ${cy - 4.5}v9` }) : "",
    kind === "kept" ? svg("circle.receptive-dot", { cx, cy, r: 3 }) : "")
}

// A list of what the marks mean.
charlm.joinLegend = (...entries) =>
  charlm.element("ul.receptive-legend", {}, ...entries.map(([kind, text]) => charlm.element("li", {},
    charlm.svg("svg", { viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": true }, charlm.joinMark(kind)), text)))

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// panel is a diagram with two logarithmic axes: entries of a tree, and seconds.
type panel struct {
	title  string
	curves []curve
}

// curve is what one peer needs for trees of each size.
type curve struct {
	name   string
	colour string // class of the style sheet
	points []point
}

type point struct{ entries, seconds float64 }

// Sizes in pixels.
const (
	panelWidth, panelHeight = 300, 250 // of the area in the axes
	marginLeft, marginTop   = 70, 46
	gap                     = 80
	legendHeight            = 80
)

// sheet is the style: two sets of colours, one for a dark page.
const sheet = `<style>
text { font: 12px sans-serif; fill: #24292f; } .title { font-size: 13px; font-weight: bold; }
polyline { fill: none; stroke: currentColor; stroke-width: 2; } circle { fill: currentColor; } .b polyline { stroke-dasharray: 5 3; }
.ground { fill: #ffffff; } .grid { stroke: #d0d7de; } .a { color: #0b62d6; } .b { color: #5aa7ff; } .c { color: #b45309; } .d { color: #15803d; } .e { color: #be185d; }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; } text { fill: #e6edf3; } .grid { stroke: #30363d; }
.a { color: #58a6ff; } .b { color: #a5d0ff; } .c { color: #f0a048; } .d { color: #4ac26b; } .e { color: #f778ba; }
}
</style>
`

// plot draws panels side by side, as SVG.
func plot(panels []panel) string {
	var svg strings.Builder
	width, height := len(panels)*(panelWidth+gap)+marginLeft/2, marginTop+panelHeight+legendHeight
	fmt.Fprintf(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n", width, height, width, height)
	svg.WriteString("<title>How mounts, indexes and walks grow with the tree</title>\n" + sheet)
	fmt.Fprintf(&svg, "<rect class=\"ground\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", width, height)
	a := newAxes(panels)
	names := map[string]bool{}
	at := marginLeft
	for i, p := range panels {
		fmt.Fprintf(&svg, "<g transform=\"translate(%d %d)\">\n", marginLeft+i*(panelWidth+gap), marginTop)
		a.draw(&svg, p.title)
		for _, c := range p.curves {
			a.curve(&svg, c)
		}
		svg.WriteString("</g>\n")
		for _, c := range p.curves {
			if !names[c.name] {
				names[c.name] = true
				fmt.Fprintf(&svg, "<g class=\"%s\" transform=\"translate(%d %d)\"><polyline points=\"0,0 24,0\"/><circle cx=\"12\" r=\"3\"/><text x=\"30\" y=\"4\">%s</text></g>\n",
					c.colour, at, height-18, html.EscapeString(c.name))
				at += 60 + 7*len(c.name)
			}
		}
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

// axes are the powers of ten that all panels show, so that they can be compared.
type axes struct{ left, right, bottom, top float64 }

func newAxes(panels []panel) axes {
	a := axes{left: math.Inf(1), right: math.Inf(-1), bottom: math.Inf(1), top: math.Inf(-1)}
	for _, p := range panels {
		for _, c := range p.curves {
			for _, q := range c.points {
				x, y := math.Log10(q.entries), math.Log10(q.seconds)
				a.left, a.right = min(a.left, math.Floor(x)), max(a.right, math.Ceil(x))
				a.bottom, a.top = min(a.bottom, math.Floor(y)), max(a.top, math.Ceil(y))
			}
		}
	}
	if math.IsInf(a.left, 0) {
		return axes{3, 6, -3, 2}
	}
	a.right, a.top = max(a.right, a.left+1), max(a.top, a.bottom+1)
	return a
}

// place is where a point is drawn.
func (a axes) place(p point) (x, y float64) {
	return panelWidth * (math.Log10(p.entries) - a.left) / (a.right - a.left),
		panelHeight * (a.top - math.Log10(p.seconds)) / (a.top - a.bottom)
}

// draw draws grid, numbers and titles.
func (a axes) draw(svg *strings.Builder, title string) {
	fmt.Fprintf(svg, "<text class=\"title\" x=\"0\" y=\"-22\">%s</text><text x=\"0\" y=\"-6\">seconds</text>\n", html.EscapeString(title))
	fmt.Fprintf(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">entries in the tree</text>\n", panelWidth, panelHeight+34)
	for e := a.left; e <= a.right; e++ {
		x, _ := a.place(point{math.Pow(10, e), 1})
		fmt.Fprintf(svg, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n",
			x, x, panelHeight, x, panelHeight+17, math.Pow(10, e))
	}
	for e := a.bottom; e <= a.top; e++ {
		_, y := a.place(point{1, math.Pow(10, e)})
		fmt.Fprintf(svg, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			panelWidth, y, y, y+4, math.Pow(10, e))
	}
}

// curve draws a line with a dot for each point.
func (a axes) curve(svg *strings.Builder, c curve) {
	var path, dots strings.Builder
	for _, p := range c.points {
		x, y := a.place(p)
		fmt.Fprintf(&path, "%.1f,%.1f ", x, y)
		fmt.Fprintf(&dots, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x, y)
	}
	fmt.Fprintf(svg, "<g class=\"%s\"><polyline points=\"%s\"/>%s</g>\n", c.colour, strings.TrimSpace(path.String()), dots.String())
}

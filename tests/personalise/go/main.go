// Renders the templates of cases.json with Go's text/template and prints the results as JSON.
//
// It uses the rules of Centrifugo PRO: data are maps of strings, missingkey=zero, `default` is sprig's, and [[…]] is a
// literal.
// `npm run record:templates` runs it. The tests read its recorded output and need no Go.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type device struct {
	ID   string            `json:"id"`
	User string            `json:"user"`
	Meta map[string]string `json:"meta"`
}

type scope struct {
	Device device            `json:"device"`
	L10n   map[string]string `json:"l10n"`
}

type table struct {
	Scopes map[string]scope `json:"scopes"`
	Cases  []struct {
		Template string `json:"template"`
		Scope    string `json:"scope"`
	} `json:"cases"`
}

// Output is nil where Go refuses the template or fails to render it.
type result struct {
	Template string  `json:"template"`
	Output   *string `json:"output"`
	Error    string  `json:"error,omitempty"`
}

var (
	action  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	literal = regexp.MustCompile(`(?s)\[\[(.*?)\]\]`)
)

func main() {
	source, err := os.ReadFile("cases.json")
	if err != nil {
		log.Fatal(err)
	}
	var cases table
	if err := json.Unmarshal(source, &cases); err != nil {
		log.Fatal(err)
	}
	results := make([]result, 0, len(cases.Cases))
	for _, c := range cases.Cases {
		data, ok := cases.Scopes[c.Scope]
		if !ok {
			log.Fatalf("no scope %q", c.Scope)
		}
		output, err := render(c.Template, data)
		if err != nil {
			results = append(results, result{Template: c.Template, Error: err.Error()})
			continue
		}
		results = append(results, result{Template: c.Template, Output: &output})
	}
	printer := json.NewEncoder(os.Stdout)
	printer.SetEscapeHTML(false)
	printer.SetIndent("", "  ")
	recorded := map[string]any{"generator": "npm run record:templates", "go": runtime.Version(), "results": results}
	if err := printer.Encode(recorded); err != nil {
		log.Fatal(err)
	}
}

func render(text string, data scope) (string, error) {
	quoted := action.ReplaceAllStringFunc(text, func(found string) string {
		return literal.ReplaceAllStringFunc(found, func(brackets string) string {
			return strconv.Quote(brackets[2 : len(brackets)-2])
		})
	})
	functions := template.FuncMap{"default": sprig.TxtFuncMap()["default"]}
	parsed, err := template.New("t").Option("missingkey=zero").Funcs(functions).Parse(quoted)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, map[string]any{
		"device": map[string]any{"id": data.Device.ID, "user": data.Device.User, "meta": data.Device.Meta},
		"l10n":   data.L10n,
	})
	return out.String(), err
}

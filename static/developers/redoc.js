"use strict";

// No search: it would run in a worker made from a blob, which the page's policy forbids.
const place = document.getElementById("redoc");
Redoc.init(place.dataset.schema, {
  disableSearch: true,
  hideDownloadButton: false,
  sortPropsAlphabetically: false,
  requiredPropsFirst: true,
  expandResponses: "200,201",
  theme: {
    typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" }, code: { fontFamily: "ui-monospace, monospace" } },
  },
}, place);

// The package takes its base URL from axios, where that has one: so a sample that names another host runs against ours.
require("axios").defaults.baseURL = process.env.API_URL

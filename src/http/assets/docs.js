// No `validatorUrl`: the badge would send the address of this server to an outside host.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });

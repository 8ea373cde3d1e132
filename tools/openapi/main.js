// Swagger UI on the document that the page's link names.
import 'swagger-ui/dist/swagger-ui.css';
import './page.css';

import SwaggerUI from 'swagger-ui';

const { href } = window.document.querySelector('link[rel="service-desc"]');

// The page follows the system, also when that changes.
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const follow = () => window.document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();

SwaggerUI({
  domNode: window.document.getElementById('api'),
  url: href,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null, // it would tell another host about this one
  withCredentials: false,
});
